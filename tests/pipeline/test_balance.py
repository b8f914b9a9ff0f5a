"""Several upstreams of one model under `balance: least_busy`: who is asked, who is ejected, and what is under way."""

import asyncio
from collections import Counter

import pytest

from glasnost.errors import GlasnostError
from glasnost.pipeline.pipeline import Pipeline
from glasnost.wire.chat import ChatRequest
from house import HONEST, POLICY, REFUSAL, SENSITIVE, House

CONFIG = """
failover: {{failures: 3, open_seconds: 10, eject_requests: 10, slow_start_seconds: 20, retry_share: 1.0{more}}}
upstreams:
  a: {{kind: scripted, script: a}}
  b: {{kind: scripted, script: b}}
  c: {{kind: scripted, script: c, weight: 2}}
  open: {{kind: scripted, script: open}}
models:
  asked: {{upstreams: [a, b, c], balance: least_busy, ladder: [{{rung: reframe}}, {{rung: model, model: other}}]}}
  raced: {{upstreams: [a, b, c], balance: least_busy, race: true, ladder: [{{rung: model, model: other}}]}}
  other: {{upstream: open}}
"""
HARMLESS = "What is the capital of France?"
PARIS = [{"text": "Paris is the capital of France."}]
SLOW = [{"text": "Paris is the capital of France.", "first_delay": 0.05}]
DOWN = [{"fault": {"status": 503, "error": {"message": "Down."}}}]
BUSY = [{"fault": {"status": 429, "error": {"message": "Slow down."}, "retry_after": 7}}]


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def house(clock=None, more="", **scripts):
    each = House(
        CONFIG.format(more=more), **{"a": PARIS, "b": PARIS, "c": PARIS, "open": [{"text": HONEST}], **scripts}
    )
    each.pipeline = Pipeline(each.config, each.heard, {("prc",): POLICY}, each.notes, clock=clock or Clock())
    return each


def asked(each):
    return {name: len(heard.requests) for name, heard in each.heard.items() if name != "open"}


def at_once(each, count):
    body = {"model": "asked", "messages": [{"role": "user", "content": HARMLESS}]}

    async def run():
        return await asyncio.gather(*(each.pipeline.complete(ChatRequest.parse(body)) for _ in range(count)))

    return asyncio.run(run())


def idle(each):
    return set(each.pipeline.failover.in_flight().values()) == {0}


def test_requests_at_once_are_spread_by_weight():
    each = house(a=SLOW, b=SLOW, c=SLOW)
    at_once(each, 40)
    assert asked(each) == {"a": 10, "b": 10, "c": 20}
    assert idle(each)


def test_a_fast_refusal_draws_no_requests():
    clock = Clock()
    each = house(clock, a=BUSY)
    for _ in range(9):
        each.ask(HARMLESS)
    assert asked(each)["a"] == 1
    clock.now = 7
    for _ in range(3):
        each.ask(HARMLESS)
    assert asked(each)["a"] == 2
    assert each.pipeline.failover.states()["a"] == "closed"


def test_one_that_fails_is_left_alone_probed_when_its_time_is_over_and_comes_back_slowly():
    clock = Clock()
    each = house(clock, a=[*({"when": {"call": call}, **DOWN[0]} for call in (1, 2, 3)), *PARIS])
    for _ in range(12):
        each.ask(HARMLESS)
    assert (asked(each)["a"], each.pipeline.failover.states()["a"]) == (3, "open")
    clock.now = 10.0
    each.ask(HARMLESS)
    assert (asked(each)["a"], each.pipeline.failover.states()["a"]) == (4, "closed")
    for _ in range(30):
        each.ask(HARMLESS)
    assert asked(each)["a"] - 4 in (0, 1)  # of a quarter, a tenth
    clock.now, before = 30.0, asked(each)["a"]
    for _ in range(30):
        each.ask(HARMLESS)
    assert asked(each)["a"] - before == 10


def outlier(clock, more=""):
    """Ask until `a`, of which every other request fails, would be ejected; the circuit needs three in a row."""
    odd = [{"when": {"call": call}, **DOWN[0]} for call in range(1, 60, 2)]
    each = house(clock, more, a=[*odd, *PARIS])
    for _ in range(60):
        each.ask(HARMLESS)
    return each


def test_an_outlier_is_ejected_though_it_answers_between_its_failures_and_for_longer_the_next_time():
    clock = Clock()
    each = outlier(clock)
    failover = each.pipeline.failover
    assert (failover.ejections, failover.states()["a"], asked(each)["a"]) == ({"a": 1}, "open", 10)
    clock.now = 10.0
    while failover.ejections["a"] < 2:
        clock.now += 0.1
        each.ask(HARMLESS)
        assert clock.now < 200
    ejected = clock.now
    clock.now = ejected + 19.9
    assert failover.states()["a"] == "open"


def test_no_more_than_a_share_of_a_models_upstreams_is_ejected():
    each = outlier(Clock(), ", eject_most: 0.3")
    assert (each.pipeline.failover.ejections, each.pipeline.failover.states()["a"]) == ({}, "closed")


def test_a_rung_on_the_same_model_asks_who_holds_the_prompt():
    refusing = [{"when": {"system": "encyclopaedia"}, "text": HONEST}, {"text": REFUSAL}]
    each = house(a=refusing, b=refusing, c=refusing)
    for _ in range(6):
        _, glasnost = each.ask()
        first, second = (attempt for attempt in glasnost["attempts"] if attempt["upstream"] != "open")
        assert first["upstream"] == second["upstream"]


@pytest.mark.parametrize("model", ["asked", "raced"])
@pytest.mark.parametrize("stream", [False, True])
def test_whatever_becomes_of_a_request_it_is_under_way_no_more_when_it_is_over(model, stream):
    refusing = [{"text": REFUSAL}]
    each = house(a=DOWN, b=refusing, c=[{"text": "Paris is", "split": 2, "fault": {"cut_after": 0}}], open=refusing)
    outcomes = Counter()
    for number in range(12):
        try:
            outcomes[each.ask(SENSITIVE if number % 3 else HARMLESS, stream=stream, model=model)[1]["action"]] += 1
        except GlasnostError:
            outcomes["failed"] += 1
    assert len(outcomes) > 1
    assert idle(each)


def test_a_client_that_leaves_leaves_nothing_under_way():
    slow = [{"text": "x", "first_delay": 60}]
    each = house(a=slow, b=slow, c=slow, open=slow)

    async def leaves():
        body = {"model": "asked", "messages": [{"role": "user", "content": SENSITIVE}]}
        async with asyncio.timeout(0.1):
            await each.pipeline.complete(ChatRequest.parse(body))

    with pytest.raises(TimeoutError):
        asyncio.run(leaves())
    assert sum(asked(each).values()) == 1
    assert idle(each)
