"""Several upstreams of one model: errors go to the next, circuits spare what fails, and none of it is censorship."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from glasnost.config import HttpUpstream, parse_config
from glasnost.errors import GlasnostError, UpstreamRejected, UpstreamUnavailable
from glasnost.pipeline.pipeline import Pipeline
from glasnost.upstream.http import HttpServer
from glasnost.wire.chat import ChatRequest
from house import HONEST, POLICY, REFUSAL, SENSITIVE, House, Notes
from loopback import completion, loopback

CONFIG = """
failover: {failures: 3, open_seconds: 10}
upstreams: {a: {kind: scripted, script: a}, b: {kind: scripted, script: b}, open: {kind: scripted, script: c}}
models:
  asked: {upstreams: [a, b], ladder: [{rung: reframe}, {rung: model, model: other}]}
  other: {upstream: open}
"""
HARMLESS = "What is the capital of France?"
PARIS = [{"text": "Paris is the capital of France."}]
DOWN = [{"fault": {"status": 503, "error": {"message": "Down."}, "retry_after": 7}}]
BUSY = [{"fault": {"status": 429, "error": {"message": "Slow down."}}}]
CUT = [{"text": "Paris is", "split": 2, "fault": {"cut_after": 0}}]
OTHER = [{"text": HONEST}]


def house(a, b, clock=None):
    each = House(CONFIG, a=a, b=b, open=OTHER)
    if clock is not None:
        each.pipeline = Pipeline(each.config, each.heard, {("prc",): POLICY}, each.notes, clock=clock)
    return each


def tried(glasnost):
    return [(attempt["rung"], attempt["upstream"], attempt.get("error")) for attempt in glasnost["attempts"]]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("fault", "code"), [(DOWN, "upstream_error"), (BUSY, "upstream_error"), (CUT, "upstream_unavailable")]
)
def test_an_error_goes_to_the_next_upstream_of_the_same_model(fault, code, stream):
    each = house(fault, PARIS)
    text, glasnost = each.ask(HARMLESS, stream=stream)
    assert text == PARIS[0]["text"]
    assert tried(glasnost) == [("first", "a", code), ("first", "b", None)]
    assert (glasnost["action"], glasnost["label"], glasnost["served_by"]) == ("pass", "complete", "asked")
    assert each.pipeline.failover.retries == {("b", "sent"): 1}


def test_a_request_that_is_called_wrong_goes_to_nobody_else():
    each = house([{"fault": {"status": 400, "error": {"message": "No."}}}], PARIS)
    with pytest.raises(UpstreamRejected, match="No"):
        each.ask(HARMLESS)
    assert not each.heard["b"].requests


def test_nothing_is_asked_again_after_text_left():
    each = house(
        [{"text": "Paris is the capital of France. It is large.", "split": 8, "fault": {"cut_after": 5}}], PARIS
    )
    with pytest.raises(UpstreamUnavailable):
        each.ask(HARMLESS, stream=True)
    assert not each.heard["b"].requests


def test_a_rung_asks_the_upstream_that_answered_and_so_holds_the_prompt():
    reframed = [{"when": {"system": "encyclopaedia"}, "text": HONEST}, {"text": REFUSAL}]
    each = house(DOWN, reframed)
    _, glasnost = each.ask()
    assert tried(glasnost) == [("first", "a", "upstream_error"), ("first", "b", None), ("reframe", "b", None)]
    assert (glasnost["label"], glasnost["action"]) == ("refusal", "reroute")


def test_another_model_takes_over_when_no_upstream_of_the_asked_one_answers():
    each = house(DOWN, DOWN)
    text, glasnost = each.ask()
    assert text == HONEST
    assert [rung for rung, *_ in tried(glasnost)] == ["first", "first", "model"]
    assert (glasnost["label"], glasnost["served_by"]) == ("complete", "other")


def test_a_circuit_opens_spares_the_upstream_and_closes_after_a_probe():
    now = [0.0]
    rules = [{"when": {"call": call}, **DOWN[0]} for call in (1, 2, 3)]
    each = house([*rules, *PARIS], PARIS, clock=lambda: now[0])
    states = each.pipeline.failover.states
    for _ in range(3):
        each.ask(HARMLESS)
    assert states() == {"a": "open", "b": "closed", "open": "closed"}
    for _ in range(4):
        assert tried(each.ask(HARMLESS)[1]) == [("first", "b", None)]
    assert len(each.heard["a"].requests) == 3
    now[0] = 10.0
    assert states()["a"] == "half_open"
    assert tried(each.ask(HARMLESS)[1]) == [("first", "a", None)]
    assert states()["a"] == "closed"


@pytest.mark.parametrize("stream", [False, True])
def test_where_every_circuit_is_open_nothing_is_asked_and_the_client_hears_when_to_come_back(stream):
    config = """
failover: {failures: 2, open_seconds: 10}
upstreams: {a: {kind: scripted, script: a}}
models: {asked: {upstream: a}}
"""
    each = House(config, a=DOWN)
    for _ in range(2):
        with pytest.raises(UpstreamRejected):
            each.ask(HARMLESS)
    with pytest.raises(UpstreamUnavailable, match="left alone") as raised:
        each.ask(HARMLESS, stream=stream)
    assert (raised.value.status, raised.value.retry_after) == (503, 10)
    assert len(each.heard["a"].requests) == 2


def test_a_busy_upstream_keeps_its_circuit():
    each = house(BUSY, PARIS)
    for _ in range(6):
        each.ask(HARMLESS)
    assert each.pipeline.failover.states()["a"] == "closed"


def test_retries_keep_to_their_share_of_the_requests():
    each = house(DOWN, DOWN, clock=lambda: 0.0)
    each.pipeline.failover._settings = each.config.failover.model_copy(update={"failures": 1_000})
    each.pipeline.failover._circuits.clear()

    async def all_at_once():
        body = {"model": "asked", "messages": [{"role": "user", "content": HARMLESS}]}
        return await asyncio.gather(*(each.pipeline.complete(ChatRequest.parse(body)) for _ in range(100)))

    asyncio.run(all_at_once())
    assert len(each.heard["a"].requests) == 100
    assert len(each.heard["b"].requests) <= 20
    counted = each.pipeline.failover.retries
    assert counted["b", "sent"] == len(each.heard["b"].requests)
    assert counted["b", "sent"] + counted["b", "budget_exhausted"] == 100


def test_over_real_sockets_a_refused_connection_and_a_failing_server_are_passed_by():
    config = """
upstreams:
  gone: {kind: http, base_url: "http://127.0.0.1:1/v1"}
  ill: {kind: http, base_url: "http://127.0.0.1:1/v1"}
  well: {kind: http, base_url: "http://127.0.0.1:1/v1"}
models: {asked: {upstreams: [gone, ill, well]}}
"""

    async def ill(peer):
        await peer.answer({"error": {"message": "Out of memory."}}, "500 Internal Server Error")

    async def well(peer):
        await peer.answer(completion())

    async def run():
        async with AsyncExitStack() as stack:
            urls = {"gone": "http://127.0.0.1:1/v1"}
            for name, handler in (("ill", ill), ("well", well)):
                urls[name] = (await stack.enter_async_context(loopback(handler))).url
            upstreams = {name: HttpServer(name, HttpUpstream(kind="http", base_url=url)) for name, url in urls.items()}
            for each in upstreams.values():
                stack.push_async_callback(each.aclose)
            pipeline = Pipeline(parse_config(config, "test"), upstreams, {("prc",): POLICY}, Notes())
            body = {"model": "asked", "messages": [{"role": "user", "content": HARMLESS}]}
            _, exchange = await pipeline.complete(ChatRequest.parse(body))
            return exchange

    exchange = asyncio.run(run())
    assert [(attempt.upstream, attempt.outcome) for attempt in exchange.attempts] == [
        ("gone", "failed"),
        ("ill", "failed"),
        ("well", "answered"),
    ]


def test_a_client_that_leaves_frees_the_probe():
    now = [0.0]
    rules = [{"when": {"call": call}, **DOWN[0]} for call in (1, 2, 3)]
    slow = [*rules, {"when": {"call": 4}, "text": "x", "first_delay": 60}, *PARIS]
    each = house(slow, PARIS, clock=lambda: now[0])
    for _ in range(3):
        each.ask(HARMLESS)
    now[0] = 10.0

    async def leaves():
        body = {"model": "asked", "messages": [{"role": "user", "content": SENSITIVE}]}
        async with asyncio.timeout(0.1):
            await each.pipeline.complete(ChatRequest.parse(body))

    with pytest.raises(TimeoutError):
        asyncio.run(leaves())
    assert tried(each.ask(HARMLESS)[1]) == [("first", "a", None)]


def test_the_error_of_the_first_upstream_is_what_the_client_gets():
    each = house(DOWN, BUSY)
    each.heard["open"].player._script = each.heard["b"].player._script
    with pytest.raises(GlasnostError) as raised:
        each.ask(HARMLESS)
    assert (raised.value.status, raised.value.retry_after) == (503, 7)
