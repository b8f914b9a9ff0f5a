"""`/v1/responses` and `/v1/messages` through a running gateway: the same answers, judged the same way."""

import hashlib
import json

import httpx
import openai
import pytest

from gateway import CONFIG, GAGGED, HARMLESS, HONEST, REFUSAL, SENSITIVE, gateway, rule, script

PARIS = "The capital of France is Paris."
ASKED = [(HARMLESS, PARIS, "asked", "pass"), (SENSITIVE, HONEST, "alternative", "reroute")]
KEY = "sk-glasnost-test"
KEY_HASH = "sha256:" + hashlib.sha256(KEY.encode()).hexdigest()


@pytest.fixture(scope="module")
def running():
    call = rule("", when={"contains": "weather"}, tool_calls=[{"name": "look", "arguments": '{"at": "Paris"}'}])
    gagged = script({**call, "finish_reason": "tool_calls", "reasoning": "Look it up."}, *json.loads(GAGGED)["rules"])
    with gateway(gagged=gagged) as each:
        yield each


@pytest.fixture(scope="module")
def client(running):
    with running.openai() as each:
        yield each


def messages(url, prompt, **fields):
    body = {"model": "asked", "max_tokens": 99, "messages": [{"role": "user", "content": prompt}], **fields}
    return httpx.post(f"{url}/v1/messages", json=body, headers={"x-api-key": KEY}, timeout=30)


@pytest.mark.parametrize(("prompt", "answer", "model", "action"), ASKED)
def test_a_response_is_judged_whole_and_streamed(client, prompt, answer, model, action):
    response = client.responses.create(model="asked", input=prompt)
    assert (response.output_text, response.model, response.status) == (answer, model, "completed")
    assert response.model_extra["glasnost"]["action"] == action
    with client.responses.stream(model="asked", input=prompt) as stream:
        text = "".join(event.delta for event in stream if event.type == "response.output_text.delta")
        final = stream.get_final_response()
    assert (text, final.output_text, final.model) == (answer, answer, model)
    assert final.model_extra["glasnost"]["action"] == action
    assert final.usage is not None


@pytest.mark.parametrize(("prompt", "answer", "model", "action"), ASKED)
def test_a_message_is_judged_whole_and_streamed(running, prompt, answer, model, action):
    message = messages(running.url, prompt).json()
    assert (message["content"], message["model"]) == ([{"type": "text", "text": answer}], model)
    assert (message["stop_reason"], message["glasnost"]["action"]) == ("end_turn", action)
    lines = messages(running.url, prompt, stream=True).text.splitlines()
    events = [json.loads(line[6:]) for line in lines if line.startswith("data: ")]
    text = "".join(event["delta"]["text"] for event in events if event["type"] == "content_block_delta")
    assert text == answer
    assert events[-2]["glasnost"]["action"] == action
    assert REFUSAL[:20] not in str(events)


def test_calls_of_tools_and_reasoning_come_through_both(running, client):
    tool = {"type": "function", "name": "look", "parameters": {"type": "object"}, "strict": False}
    with client.responses.stream(model="asked", input="weather?", tools=[tool]) as stream:
        response = stream.get_final_response()
    assert [item.type for item in response.output] == ["reasoning", "function_call"]
    assert response.output[0].content[0].text == "Look it up."
    assert (response.output[1].name, response.output[1].arguments) == ("look", '{"at": "Paris"}')
    message = messages(running.url, "weather?", tools=[{"name": "look", "input_schema": {"type": "object"}}]).json()
    assert [block["type"] for block in message["content"]] == ["thinking", "tool_use"]
    assert (message["content"][1]["input"], message["stop_reason"]) == ({"at": "Paris"}, "tool_use")


def test_a_stream_that_breaks_off_raises_in_the_client():
    cut = script(rule("The capital of France is Paris.", fault={"cut_after": 2}))
    bare = CONFIG.replace(", ladder: [{rung: reframe}, {rung: model, model: alternative}]", "")
    with gateway(bare, gagged=cut) as each, each.openai() as client:
        with pytest.raises(openai.APIError, match="cut its answer off"):
            list(client.responses.create(model="asked", input=HARMLESS, stream=True))
        text = messages(each.url, HARMLESS, stream=True).text
        assert "event: error\n" in text
        assert "message_stop" not in text


def test_errors_before_an_answer_have_the_shape_of_their_api(running, client):
    with pytest.raises(openai.BadRequestError) as raised:
        client.responses.create(model="asked", input="x", previous_response_id="resp_1")
    assert raised.value.param == "previous_response_id"
    wrong = messages(running.url, "x", model="nobody")
    assert (wrong.status_code, wrong.json()["type"], wrong.json()["error"]["type"]) == (404, "error", "not_found_error")


def test_a_key_may_come_in_the_header_of_anthropics_clients_but_never_two():
    with gateway(f'{CONFIG}\nserver: {{keys: ["{KEY_HASH}"]}}\n') as each:
        assert messages(each.url, HARMLESS).status_code == 200
        body = {"model": "asked", "messages": [{"role": "user", "content": HARMLESS}]}
        for headers in ({}, {"x-api-key": "sk-other"}, {"x-api-key": KEY, "authorization": f"Bearer {KEY}"}):
            assert each.post(body, **headers).status_code == 401


def test_each_api_is_counted_by_its_name(running, client):
    messages(running.url, HARMLESS)
    client.responses.create(model="asked", input=HARMLESS)
    for endpoint in ("messages", "responses"):
        assert running.metric("glasnost_requests_total", endpoint=endpoint, model="asked", code="200") >= 1
