"""What a client sees when upstreams fail: another answer while nothing was released, an error frame afterwards."""

import json

import httpx
import openai
import pytest

from gateway import GAGGED, HARMLESS, HONEST, REFUSAL, SENSITIVE, body, gateway, rule, script

LONG = "Paris is the capital of France and its largest city. It lies on the Seine. " * 4


def events(url, request):
    with httpx.stream("POST", f"{url}/v1/chat/completions", json=request, timeout=30) as response:
        lines = [line.removeprefix("data: ") for line in response.iter_lines() if line.startswith("data: ")]
    return response, lines


def test_an_upstream_that_dies_before_a_byte_left_is_replaced_by_the_alternative():
    cut = script(rule(REFUSAL, fault={"cut_after": 2}))
    with gateway(gagged=cut) as each:
        for request in (body(SENSITIVE), body(SENSITIVE, stream=True)):
            assert each.post(request).status_code == 200
        glasnost = each.post(body(SENSITIVE)).json()["glasnost"]
        assert (glasnost["action"], glasnost["served_by"]) == ("reroute", "alternative")
        assert [attempt["rung"] for attempt in glasnost["attempts"]] == ["first", "model"]
        assert glasnost["attempts"][0]["error"] == "upstream_unavailable"
        assert each.metric("glasnost_upstream_requests_total", upstream="gagged", outcome="unavailable") == 3


def test_a_stream_that_dies_after_text_left_ends_with_an_error_frame_and_no_done():
    cut = script(rule(LONG, fault={"cut_after": 20}))
    with gateway(gagged=cut) as each:
        response, lines = events(each.url, body(HARMLESS, stream=True))
        assert response.status_code == 200
        error = json.loads(lines[-1])["error"]
        assert error["code"] == "upstream_unavailable"
        assert error["src"] == "upstream"
        assert "[DONE]" not in lines
        assert all(not json.loads(line)["choices"][0].get("finish_reason") for line in lines[:-1])
        with pytest.raises(openai.APIError):
            list(
                each.openai().chat.completions.create(
                    model="asked", messages=[{"role": "user", "content": HARMLESS}], stream=True
                )
            )
        assert each.metric("glasnost_unaudited_responses_total") == 0


def test_a_request_that_the_upstream_calls_wrong_goes_back_as_it_is():
    wrong = script({"fault": {"status": 400, "error": {"message": "max_tokens is too large", "param": "max_tokens"}}})
    with gateway(gagged=wrong) as each:
        answer = each.post(body(HARMLESS))
        assert answer.status_code == 400
        assert answer.json()["error"]["param"] == "max_tokens"
        assert each.metric("glasnost_upstream_requests_total", upstream="open") == 0


def test_a_busy_upstream_is_replaced_and_without_an_alternative_its_retry_after_is_passed_on():
    busy = script({"fault": {"status": 429, "error": {"message": "Slow down."}, "retry_after": 17}})
    with gateway(gagged=busy) as each:
        assert each.post(body(HARMLESS)).json()["glasnost"]["served_by"] == "alternative"
    with gateway(gagged=busy, answers=busy) as each:
        answer = each.post(body(HARMLESS))
        assert answer.status_code == 429
        assert answer.headers["retry-after"] == "17"
        streamed = each.post(body(HARMLESS, stream=True))
        assert streamed.status_code == 429


def test_when_every_rung_fails_after_a_censored_answer_that_answer_goes_out_flagged():
    down = script({"fault": {"status": 503, "error": {"message": "Down."}}})
    gagged = script({"when": {"system": "encyclopaedia"}, "fault": {"status": 500, "error": {}}}, rule(REFUSAL))
    with gateway(gagged=gagged, answers=down) as each:
        unary = each.post(body(SENSITIVE)).json()
        assert unary["choices"][0]["message"]["content"] == REFUSAL
        assert unary["glasnost"]["action"] == "flag"
        _, lines = events(each.url, body(SENSITIVE, stream=True))
        assert lines[-1] == "[DONE]"
        last = json.loads(lines[-2])["glasnost"]
        assert (last["label"], last["action"], last["served_by"]) == ("refusal", "flag", "asked")


def test_an_upstream_that_never_answers_is_a_504_within_its_time():
    config = """
upstreams:
  gagged: {kind: scripted, script: a.yaml, timeouts: {first_token: 0.3, total: 0.6}}
  open: {kind: scripted, script: b.yaml, timeouts: {first_token: 0.3, total: 0.6}}
models:
  asked: {upstream: gagged}
  other: {upstream: open}
"""
    hang = script(rule(HONEST, fault={"hang_after": 0}))
    with gateway(config, gagged=hang, answers=GAGGED) as each:
        for request in (body(HARMLESS), body(HARMLESS, stream=True)):
            answer = each.post(request)
            assert answer.status_code == 504
            assert answer.json()["error"]["code"] == "timeout"
