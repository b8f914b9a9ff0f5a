"""A whole gateway, traced: what a collector on a real socket gets to see of requests, attempts and verdicts."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import threading
import time

import httpx
import pytest
from openai import APIError

from gateway import CONFIG, GAGGED, HARMLESS, HONEST, OPEN, REFUSAL, SENSITIVE, body, gateway, rule, script
from loopback import completion, loopback
from otlp_receiver import otlp_receiver
from running import free_port

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN = "00f067aa0ba902b7"
PARENT = {"traceparent": f"00-{TRACE}-{SPAN}-01", "tracestate": "vendor=kept"}
HTTP = "upstreams: {a: {kind: http, base_url: 'URL', model: theirs}}\nmodels: {asked: {upstream: a}}"
ALONE = """
upstreams:
  gagged: {kind: scripted, script: gagged.yaml}
  open: {kind: scripted, script: open.yaml}
models:
  asked: {upstream: gagged}
"""
JUDGED = """
upstreams:
  gagged: {kind: scripted, script: gagged.yaml}
  bench: {kind: scripted, script: bench.yaml}
models:
  asked: {upstream: gagged, family: a}
  judge: {upstream: bench, family: b}
audit: {judge: {model: judge, seconds: 20}}
"""
NO_LEDGER = "\nledger: {enabled: false}"


@contextlib.contextmanager
def traced(config=CONFIG, **options):
    """Run a gateway that is traced; what the collector got is whole when the gateway has ended."""
    with otlp_receiver() as received:
        settings = f"{config}{NO_LEDGER}\ntracing: {{enabled: true, endpoint: '{received.url}'}}\n"
        with gateway(settings, **options) as server:
            yield server, received


def test_a_rerouted_stream_is_a_request_with_a_call_for_each_rung_below_the_clients_own_trace():
    with traced() as (server, received):
        client = server.openai(default_headers=PARENT)
        chunks = list(client.chat.completions.create(**body(SENSITIVE, stream=True)))
    assert chunks[-1].model_extra["glasnost"]["action"] == "reroute"
    request = received.one("server")
    assert (request.name, request.trace, request.parent) == ("POST /v1/chat/completions", TRACE, SPAN)
    assert request.state == "vendor=kept"
    assert request.resource["service.name"] == "glasnost"
    assert not request.failed
    facts = request.facts
    assert facts["http.response.status_code"] == 200
    assert facts["gen_ai.operation.name"] == "chat"
    assert facts["gen_ai.provider.name"] == "glasnost"
    assert facts["gen_ai.request.model"] == "asked"
    assert facts["gen_ai.response.model"] == "alternative"
    assert facts["gen_ai.response.finish_reasons"] == ["stop"]
    assert facts["gen_ai.request.stream"] is True
    assert (facts["glasnost.action"], facts["glasnost.verdict"]) == ("reroute", "refusal")
    assert facts["glasnost.topics"] == ["prc.tiananmen-1989"]
    assert facts["glasnost.id"] == chunks[-1].model_extra["glasnost"]["id"]
    first, reframe, other = received.all("client")
    assert {each.parent for each in (first, reframe, other)} == {request.id}
    assert {each.trace for each in (first, reframe, other)} == {TRACE}
    assert [each.facts["glasnost.rung"] for each in (first, reframe, other)] == ["first", "reframe", "model"]
    assert [each.facts["glasnost.outcome"] for each in (first, reframe, other)] == [
        "interrupted",
        "interrupted",
        "answered",
    ]
    assert [each.facts["gen_ai.request.model"] for each in (first, reframe, other)] == ["asked", "asked", "alternative"]
    assert [each.verdict()["gen_ai.evaluation.score.label"] for each in (first, other)] == ["refusal", "complete"]
    assert 0 < first.verdict()["gen_ai.evaluation.score.value"] <= 1
    assert first.verdict()["gen_ai.evaluation.name"] == "political_censorship"
    assert "prc.tiananmen-1989" in first.verdict()["gen_ai.evaluation.explanation"]
    assert 0 <= other.facts["glasnost.held.duration"] <= other.seconds
    assert all(0 <= each.seconds <= request.seconds for each in (first, reframe, other))


def test_an_answer_in_one_piece_has_its_tokens_and_no_word_of_what_was_said():
    usage = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
    with traced(answers=script(rule(HONEST, usage=usage))) as (server, received):
        assert server.post(body(SENSITIVE, model="alternative")).status_code == 200
    request, call = received.one("server"), received.one("client")
    for span in (request, call):
        assert span.facts["gen_ai.usage.input_tokens"] == 11
        assert span.facts["gen_ai.usage.output_tokens"] == 7
        assert span.facts["gen_ai.response.finish_reasons"] == ["stop"]
    assert call.name == "chat alternative"
    assert call.facts["gen_ai.provider.name"] == "scripted"
    assert request.parent == ""
    sent = b"".join(received.bodies)
    assert not any(said.encode() in sent for said in (SENSITIVE, HONEST, "Tiananmen Square", "army", "protesters"))


FAILS = script({"fault": {"status": 500, "error": {"message": "secret words of the upstream"}}})


def test_an_upstream_that_fails_is_an_error_of_its_call_and_of_the_request():
    with traced(ALONE, gagged=FAILS) as (server, received):
        status = server.post(body(HARMLESS)).status_code
    request, call = received.one("server"), received.one("client")
    assert request.failed
    assert request.facts["http.response.status_code"] == status
    assert request.facts["error.type"] == str(status)
    assert request.facts["glasnost.outcome"] == "failed"
    assert (call.failed, call.facts["error.type"]) == (True, "http_5xx")
    assert b"secret words" not in b"".join(received.bodies)


def test_a_failover_is_a_call_that_failed_and_one_that_answered():
    config = ALONE.replace("upstream: gagged", "upstreams: [gagged, open]")
    with traced(config, gagged=FAILS) as (server, received):
        assert server.post(body(HARMLESS)).status_code == 200
    assert not received.one("server").failed
    calls = [(call.facts["glasnost.upstream"], call.facts["glasnost.outcome"]) for call in received.all("client")]
    assert calls == [("gagged", "failed"), ("open", "answered")]


def test_what_a_client_did_wrong_is_no_error_of_the_server():
    with traced() as (server, received):
        assert server.post(body(model="nobody")).status_code == 404
        assert httpx.get(f"{server.url}/metrics").status_code == 200
        assert httpx.post(f"{server.url}/v1/invented/{TRACE}").status_code == 404
    request = received.one("server")
    assert (request.failed, request.facts["error.type"]) == (False, "404")
    assert received.all("client") == []


def until_somebody_left(server):
    deadline = time.monotonic() + 20
    while not server.metric("glasnost_client_disconnects_total") and time.monotonic() < deadline:
        time.sleep(0.05)


def test_a_client_that_leaves_ends_its_trace():
    with traced(gagged=script({"text": "The capital of France is Paris.", "first_delay": 60})) as (server, received):
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(f"{server.url}/v1/chat/completions", json=body(HARMLESS), timeout=0.5)
        until_somebody_left(server)
    request, call = received.one("server"), received.one("client")
    assert request.facts["error.type"] == "client_disconnected"
    assert request.facts["glasnost.outcome"] == "client_disconnected"
    assert "http.response.status_code" not in request.facts
    assert call.facts["glasnost.outcome"] == "cancelled"
    assert call.parent == request.id
    assert not call.failed


def test_a_client_that_leaves_a_stream_is_seen_as_well():
    slow = script({"text": "The capital of France is Paris.", "split": 5, "delay": 10})
    with traced(gagged=slow) as (server, received):
        url, sent = f"{server.url}/v1/chat/completions", body(HARMLESS, stream=True)
        with httpx.stream("POST", url, json=sent, timeout=30) as answer:
            next(answer.iter_raw())
        until_somebody_left(server)
    request = received.one("server")
    assert request.facts["error.type"] == "client_disconnected"
    assert request.facts["http.response.status_code"] == 200
    assert received.one("client").facts["glasnost.outcome"] == "cancelled"
    assert not request.failed


def test_a_collector_that_is_not_there_keeps_nobody_waiting(monkeypatch):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{free_port()}")
    with gateway(f"{CONFIG}{NO_LEDGER}\ntracing: {{enabled: true}}\n") as server:
        assert server.post(body(HARMLESS)).status_code == 200


def test_an_error_within_a_stream_is_seen():
    broken = script(rule(HONEST, fault={"cut_after": 2}))
    with traced(gagged=broken) as (server, received), pytest.raises(APIError):
        list(server.openai().chat.completions.create(**body(HARMLESS, stream=True)))
    assert received.one("server").facts["glasnost.outcome"] == "failed"
    assert received.all("client")[0].failed


def test_a_race_has_two_calls_side_by_side_below_one_request():
    config = CONFIG.replace("ladder:", "race: true, ladder:") + "race: {share: 1.0}\n"
    slow = script({"text": REFUSAL, "first_delay": 60})
    with traced(config, gagged=slow, answers=OPEN) as (server, received):
        assert server.post(body(SENSITIVE)).json()["model"] == "alternative"
    request = received.one("server")
    outcomes = {call.facts["gen_ai.request.model"]: call.facts["glasnost.outcome"] for call in received.all("client")}
    assert outcomes == {"asked": "outrun", "alternative": "answered"}
    assert {call.parent for call in received.all("client")} == {request.id}


def test_several_prompts_of_one_request_are_added_up():
    usage = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}
    with traced(gagged=script(rule("Paris.", usage=usage))) as (server, received):
        sent = {"model": "asked", "prompt": ["The capital of France is", "The capital of Italy is"]}
        assert httpx.post(f"{server.url}/v1/completions", json=sent, timeout=30).status_code == 200
    request = received.one("server")
    assert request.facts["gen_ai.operation.name"] == "text_completion"
    assert request.facts["gen_ai.usage.input_tokens"] == 10
    assert len(received.all("client")) == 2


def test_an_answer_that_was_given_elsewhere_has_its_verdict_on_the_request():
    with traced() as (server, received):
        given = {"input": {"prompt": SENSITIVE, "answer": REFUSAL}}
        sent = httpx.post(f"{server.url}/v1/audits", json=given, timeout=30)
    assert sent.status_code == 200
    request = received.one("server")
    assert request.verdict()["gen_ai.evaluation.score.label"] == "refusal"
    assert request.facts["gen_ai.operation.name"] == "audit"


@contextlib.contextmanager
def upstream(answer):
    """Serve an upstream that answers everything alike; gives its address and what it received."""
    ready, stop, found = threading.Event(), threading.Event(), []

    async def serve():
        async with loopback(lambda peer: peer.answer(answer)) as served:
            found.append(served)
            ready.set()
            await asyncio.to_thread(stop.wait, 60)

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    try:
        assert ready.wait(20)
        yield found[0]
    finally:
        stop.set()
        thread.join(20)


def test_the_trace_goes_on_at_the_upstream(monkeypatch):
    monkeypatch.setenv("OTEL_SERVICE_NAME", "audited")
    with upstream(completion()) as theirs, traced(HTTP.replace("URL", theirs.url)) as (server, received):
        assert server.post(body(HARMLESS), **PARENT, baggage="user=somebody").status_code == 200
    call, seen = received.one("client"), theirs.peers[0].headers
    assert seen["traceparent"] == f"00-{TRACE}-{call.id}-01"
    assert seen["tracestate"] == "vendor=kept"
    assert "baggage" not in seen
    assert call.resource["service.name"] == "audited"
    assert call.facts["gen_ai.request.model"] == "theirs"
    assert call.facts["server.address"] == "127.0.0.1"
    assert str(call.facts["server.port"]) in theirs.url


def test_vectors_are_a_call_too():
    vectors = {"object": "list", "data": [{"object": "embedding", "index": 0, "embedding": [0.5]}]}
    with upstream(vectors) as theirs, traced(HTTP.replace("URL", theirs.url)) as (server, received):
        sent = {"model": "asked", "input": "x"}
        assert httpx.post(f"{server.url}/v1/embeddings", json=sent, timeout=30).status_code == 200
    request, call = received.one("server"), received.one("client")
    assert request.facts["gen_ai.operation.name"] == call.facts["gen_ai.operation.name"] == "embeddings"
    assert (call.parent, call.facts["glasnost.outcome"]) == (request.id, "answered")
    assert theirs.peers[0].headers["traceparent"].split("-")[1:3] == [request.trace, call.id]


@pytest.mark.parametrize("stream", [False, True])
def test_a_judge_is_a_call_beside_the_answer_he_judges(stream):
    thin = script({"text": "It is a large square in the middle of the city, and many people visit it every day."})
    bench = script({"text": '{"label": "evasion", "certainty": "high"}', "usage": {"prompt_tokens": 90}})
    with traced(JUDGED, gagged=thin, bench=bench) as (server, received):
        assert server.post(body(SENSITIVE, stream=stream)).status_code == 200
    asked = [call for call in received.all("client") if call.facts["glasnost.purpose"] == "judgement"]
    answers = [call for call in received.all("client") if call.facts["glasnost.purpose"] == "answer"]
    assert {call.parent for call in (*asked, *answers)} == {received.one("server").id}
    assert asked[0].facts["gen_ai.request.model"] == "judge"
    assert asked[0].facts["gen_ai.usage.input_tokens"] == 90
    (opinion,) = [event for event in answers[0].events if event.name == "glasnost.consultation"]
    assert opinion.facts["glasnost.result"] == "ok"
    assert answers[0].verdict()["gen_ai.evaluation.score.label"] == "evasion"


def test_a_judge_that_fails_is_a_call_that_failed():
    thin = script({"text": "It is a large square in the middle of the city, and many people visit it every day."})
    with traced(JUDGED, gagged=thin, bench=FAILS) as (server, received):
        server.post(body(SENSITIVE))
    asked = [call for call in received.all("client") if call.facts["glasnost.purpose"] == "judgement"]
    assert asked
    assert all(call.failed and call.facts["error.type"] == "http_5xx" for call in asked)


def test_a_request_names_the_key_by_its_name_and_never_shows_it():
    key = "no1shape1of1a1key"
    hashed = f"sha256:{hashlib.sha256(key.encode()).hexdigest()}"
    config = f"{CONFIG}server: {{keys: [{{hash: '{hashed}', name: newsroom}}]}}\n"
    with traced(config) as (server, received):
        assert server.post(body(HARMLESS)).status_code == 401
        assert server.post(body(HARMLESS), authorization=f"Bearer {key}").status_code == 200
    refused, served = received.all("server")
    assert (refused.facts["error.type"], "glasnost.key" in refused.facts) == ("401", False)
    assert served.facts["glasnost.key"] == "newsroom"
    assert key.encode() not in b"".join(received.bodies)


def test_without_the_setting_nothing_is_traced_and_nothing_carried_on():
    with otlp_receiver() as received, gateway(CONFIG + NO_LEDGER, gagged=GAGGED) as server:
        assert server.post(body(HARMLESS), **PARENT).status_code == 200
    assert received.bodies == []
