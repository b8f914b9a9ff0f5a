"""The main job through the official client over scripted upstreams: pass, reroute, flag, and the contract."""

import json

import httpx
import openai
import pytest

from gateway import CONFIG, HARMLESS, HONEST, REFUSAL, SENSITIVE, body, gateway, rule, script

PARIS = "The capital of France is Paris."


@pytest.fixture(scope="module")
def running():
    with gateway() as each:
        yield each


def stream(client, prompt, **options):
    chunks = list(
        client.chat.completions.create(
            model="asked", messages=[{"role": "user", "content": prompt}], stream=True, **options
        )
    )
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    return text, chunks


def test_a_harmless_question_passes_through_unary(running):
    completion = running.openai().chat.completions.create(
        model="asked", messages=[{"role": "user", "content": HARMLESS}]
    )
    assert completion.choices[0].message.content == PARIS
    assert completion.model == "asked"
    glasnost = completion.model_extra["glasnost"]
    assert (glasnost["label"], glasnost["action"], glasnost["served_by"]) == ("complete", "pass", "asked")
    assert glasnost["topics"] == []
    assert [attempt["rung"] for attempt in glasnost["attempts"]] == ["first"]


def test_a_harmless_question_passes_through_streamed(running):
    text, chunks = stream(running.openai(), HARMLESS)
    assert text == PARIS
    assert chunks[-1].model_extra["glasnost"]["action"] == "pass"
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert all(chunk.usage is None for chunk in chunks)


def test_a_censored_answer_is_rerouted_unary_and_both_refusals_are_on_record(running):
    completion = running.openai().chat.completions.create(
        model="asked",
        messages=[{"role": "user", "content": SENSITIVE}],
        extra_headers={"x-glasnost-explain": "1"},
    )
    assert completion.choices[0].message.content == HONEST
    assert completion.model == "alternative"
    glasnost = completion.model_extra["glasnost"]
    assert (glasnost["label"], glasnost["action"], glasnost["served_by"]) == ("refusal", "reroute", "alternative")
    assert glasnost["topics"] == ["prc.tiananmen-1989"]
    assert [attempt["rung"] for attempt in glasnost["attempts"]] == ["first", "reframe", "model"]
    assert [attempt["label"] for attempt in glasnost["attempts"]] == ["refusal", "refusal", "complete"]
    assert glasnost["attempts"][0]["excerpt"] == REFUSAL


def test_a_censored_answer_is_rerouted_streamed_before_a_byte_of_it_left(running):
    text, chunks = stream(running.openai(), SENSITIVE)
    assert text == HONEST
    assert {chunk.model for chunk in chunks} == {"alternative"}
    glasnost = chunks[-1].model_extra["glasnost"]
    assert (glasnost["label"], glasnost["action"], glasnost["served_by"]) == ("refusal", "reroute", "alternative")
    assert "excerpt" not in glasnost["attempts"][0]


def test_the_streamed_object_equals_the_unary_one(running):
    client = running.openai()
    unary = client.chat.completions.create(model="asked", messages=[{"role": "user", "content": SENSITIVE}])
    _, chunks = stream(client, SENSITIVE)
    names = ("label", "probability", "topics", "evidence", "action", "served_by", "policy", "detector")
    one, other = unary.model_extra["glasnost"], chunks[-1].model_extra["glasnost"]
    assert {name: one[name] for name in names} == {name: other[name] for name in names}


def test_the_headers_say_what_the_body_says(running):
    response = running.post(body(SENSITIVE))
    glasnost = response.json()["glasnost"]
    assert response.headers["x-glasnost-verdict"] == "refusal"
    assert response.headers["x-glasnost-action"] == "reroute"
    assert response.headers["x-glasnost-served-by"] == "alternative"
    assert response.headers["x-glasnost-topics"] == "prc.tiananmen-1989"
    assert response.headers["x-glasnost-id"] == glasnost["id"]
    assert response.headers["x-glasnost-policy"] == glasnost["policy"]


def test_after_a_hold_the_stream_headers_know_the_reroute(running):
    with httpx.stream("POST", f"{running.url}/v1/chat/completions", json=body(SENSITIVE, stream=True)) as response:
        assert response.headers["x-glasnost-action"] == "reroute"
        assert response.headers["x-glasnost-verdict"] == "refusal"
        assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert response.headers["x-accel-buffering"] == "no"
        events = [line for line in response.iter_lines() if line.startswith("data: ")]
    assert events[-1] == "data: [DONE]"
    assert REFUSAL[:12] not in json.dumps(events)


def test_usage_comes_last_when_it_is_asked_for_and_carries_the_verdict(running):
    _, chunks = stream(running.openai(), HARMLESS, stream_options={"include_usage": True})
    assert chunks[-1].choices == []
    assert chunks[-1].usage is not None
    assert chunks[-1].model_extra["glasnost"]["action"] == "pass"
    assert chunks[-2].choices[0].finish_reason == "stop"


def test_the_models_are_those_of_the_configuration(running):
    client = running.openai()
    assert [model.id for model in client.models.list()] == ["asked", "alternative"]
    assert client.models.retrieve("asked").id == "asked"
    with pytest.raises(openai.NotFoundError) as raised:
        client.models.retrieve("nobody")
    assert raised.value.code == "model_not_found"


def test_an_unknown_model_is_a_404_that_names_the_known_ones(running):
    with pytest.raises(openai.NotFoundError) as raised:
        running.openai().chat.completions.create(model="nobody", messages=[{"role": "user", "content": "x"}])
    assert raised.value.code == "model_not_found"
    assert raised.value.param == "model"
    assert "asked, alternative" in raised.value.message


def test_a_bare_base_url_works_too(running):
    client = openai.OpenAI(base_url=running.url, api_key="x", max_retries=0)
    assert client.chat.completions.create(model="asked", messages=[{"role": "user", "content": HARMLESS}]).choices


def test_where_nothing_passes_the_answer_goes_out_flagged():
    with gateway(answers=script(rule(REFUSAL))) as each:
        completion = each.post(body(SENSITIVE)).json()
        assert completion["choices"][0]["message"]["content"] == REFUSAL
        assert completion["glasnost"]["action"] == "flag"
        assert completion["glasnost"]["served_by"] == "asked"
        text, chunks = stream(each.openai(), SENSITIVE)
        assert text == REFUSAL
        assert chunks[-1].model_extra["glasnost"]["action"] == "flag"
        assert chunks[-1].model_extra["glasnost"]["label"] == "refusal"
        assert each.metric("glasnost_actions_total", policy="prc", action="flag") == 2
        assert each.metric("glasnost_reroutes_total", to_model="alternative", result="also_flagged") == 2


def test_a_model_without_a_ladder_is_flagged_and_not_rerouted():
    bare = CONFIG.replace(", ladder: [{rung: reframe}, {rung: model, model: alternative}]", "")
    with gateway(bare) as each:
        assert each.post(body(SENSITIVE)).json()["glasnost"]["action"] == "flag"


def test_prometheus_counts_verdicts_actions_reroutes_and_first_tokens():
    with gateway() as each:
        each.post(body(SENSITIVE))
        stream(each.openai(), SENSITIVE)
        stream(each.openai(), HARMLESS)
        topic = "prc.tiananmen-1989"
        assert each.metric("glasnost_audits_total", model="asked", topic=topic, label="refusal", mode="unary") == 2
        assert each.metric("glasnost_audits_total", model="asked", topic=topic, label="refusal", mode="hold") == 2
        assert each.metric("glasnost_audits_total", model="asked", topic="none", label="complete") == 1
        assert each.metric("glasnost_actions_total", policy="prc", action="reroute") == 2
        assert each.metric("glasnost_actions_total", policy="none", action="pass") == 1
        assert each.metric("glasnost_reroutes_total", from_model="asked", to_model="alternative", result="served") == 2
        assert each.metric("glasnost_reroutes_total", from_model="asked", to_model="asked") == 2
        assert each.metric("glasnost_time_to_first_token_seconds_count", vantage="client") == 3
        assert each.metric("glasnost_time_to_first_token_seconds_count", vantage="upstream") == 7
        assert each.metric("glasnost_audit_duration_seconds_count", stage="total") == 7
        assert each.metric("glasnost_requests_total", endpoint="chat", model="asked", code="200") == 3
        assert each.metric("glasnost_unaudited_responses_total") == 0


def test_a_held_stream_is_kept_alive_and_an_off_topic_one_is_not_held():
    config = CONFIG + "stream: {keep_alive_seconds: 0.1}\n"
    slow = script(rule("The capital.", when={"contains": "France"}), rule(REFUSAL, delay=0.05, split=10))
    with gateway(config, gagged=slow) as each:
        with httpx.stream("POST", f"{each.url}/v1/chat/completions", json=body(SENSITIVE, stream=True)) as response:
            lines = list(response.iter_lines())
        assert ": keep-alive" in lines
        assert lines.index(": keep-alive") < next(i for i, line in enumerate(lines) if line.startswith("data: "))


def test_a_client_may_tighten_the_mode_and_not_loosen_it(running):
    strict = running.post(body(HARMLESS, stream=True), **{"x-glasnost-mode": "full"})
    assert '"mode":"full"' in strict.text
    loose = running.post(body(HARMLESS, stream=True), **{"x-glasnost-mode": "observe"})
    assert loose.status_code == 400
    assert loose.json()["error"]["param"] == "x-glasnost-mode"
