"""Cases for the auditor, vectors, and what the hooks of other gateways come to."""

import pytest

from glasnost.errors import InvalidRequest, UpstreamError
from glasnost.wire.audits import cases_of
from glasnost.wire.embeddings import check_vectors, model_of
from glasnost.wire.gateways.agentgateway import AGENTGATEWAY_REQUEST, AGENTGATEWAY_RESPONSE
from glasnost.wire.gateways.litellm import LITELLM
from glasnost.wire.gateways.portkey import PORTKEY

WITHHELD = {"label": "refusal", "topics": ["prc.tiananmen-1989"], "action": "block"}
PASSED = {**WITHHELD, "action": "flag"}
ASKED = [{"role": "user", "content": "Why?"}]


def test_a_case_is_a_prompt_or_messages_with_an_answer_in_one_of_three_shapes():
    message = {"content": "a", "reasoning_content": "r", "tool_calls": [{"function": {"arguments": "{}"}}]}
    completion = {"choices": [{"message": {"content": "a"}, "finish_reason": "length"}, {"message": {"content": "b"}}]}
    text, whole, choices, alone = cases_of(
        {
            "input": [
                {"prompt": "Why?", "answer": "a"},
                {"messages": ASKED, "answer": message, "finish_reason": "content_filter"},
                {"messages": ASKED, "completion": completion},
                {"messages": [], "answer": "a"},
            ]
        }
    )
    assert text.request.conversation == whole.request.conversation == choices.request.conversation
    assert (text.answers[0].content, text.answers[0].finish_reason) == ("a", "stop")
    assert (whole.answers[0].reasoning, whole.answers[0].tool_arguments) == ("r", "{}")
    assert whole.answers[0].finish_reason == "content_filter"
    assert [answer.content for answer in choices.answers] == ["a", "b"]
    assert alone.request.conversation.turns == ()


@pytest.mark.parametrize(
    ("given", "param"),
    [
        (None, "input"),
        ([], "input"),
        ([{"prompt": "x", "answer": "y"}] * 129, "input"),
        (["x"], "input[0]"),
        ({"prompt": "x"}, "input.answer"),
        ({"answer": "x"}, "messages"),
        ({"prompt": 3, "answer": "x"}, "messages[0].content"),
        ({"prompt": "x", "completion": {"choices": []}}, "input.completion"),
        ({"prompt": "x", "completion": {"choices": [{"text": "x"}]}}, "input.completion"),
    ],
)
def test_a_wrong_case_is_named(given, param):
    with pytest.raises(InvalidRequest) as raised:
        cases_of({"input": given})
    assert raised.value.param == param


@pytest.mark.parametrize(
    ("body", "param"),
    [({"input": "x"}, "model"), ({"model": "m"}, "input"), ({"model": "m", "api_base": "x"}, "api_base")],
)
def test_a_wrong_request_for_vectors_is_named(body, param):
    with pytest.raises(InvalidRequest) as raised:
        model_of(body)
    assert raised.value.param == param


def test_vectors_pass_and_texts_do_not():
    check_vectors({"data": [{"embedding": [0.1, 2]}, {"embedding": "AACAPw=="}]}, "up")
    for data in ("x", ["x"], [{"embedding": "The army fired."}], [{"embedding": ["x"]}], [{"text": "x"}]):
        with pytest.raises(UpstreamError, match="no list of embeddings"):
            check_vectors({"data": data}, "up")


def test_litellm_tells_texts_and_joins_question_and_answer_by_its_id():
    question = LITELLM.read({"input_type": "request", "texts": ["Why?"], "litellm_call_id": "1", "model": "m"})
    assert (question.messages, question.answered, question.exchange, question.model) == (ASKED, False, "1", "m")
    calls = [{"function": {"arguments": "{}"}}]
    answer = LITELLM.read({"input_type": "response", "texts": ["a"], "tool_calls": calls, "litellm_call_id": "1"})
    assert (answer.messages, answer.answered, answer.exchange) == (None, True, "1")
    assert [choice["message"] for choice in answer.choices] == [{"content": "a"}, {"tool_calls": calls}]
    assert LITELLM.read({"input_type": "response"}).choices[0]["message"] == {"content": ""}
    assert LITELLM.reply(None) == {"action": "NONE"}
    assert LITELLM.reply(PASSED)["action"] == "NONE"
    blocked = LITELLM.reply(WITHHELD)
    assert (blocked["action"], "refusal on prc.tiananmen-1989" in blocked["blocked_reason"]) == ("BLOCKED", True)
    for wrong in ({"input_type": "x"}, {"input_type": "request", "texts": [3]}):
        with pytest.raises(InvalidRequest):
            LITELLM.read(wrong)


def test_portkey_tells_the_question_with_the_answer():
    request = {"json": {"model": "m", "messages": ASKED}}
    choices = [{"message": {"content": "a"}, "finish_reason": "stop"}]
    before = {
        "request": request,
        "response": {"json": {}},
        "requestType": "chatComplete",
        "eventType": "beforeRequestHook",
    }
    after = {**before, "response": {"json": {"choices": choices}}, "eventType": "afterRequestHook"}
    assert not PORTKEY.read(before).answered
    call = PORTKEY.read(after)
    assert (call.messages, call.choices, call.answered, call.model) == (ASKED, choices, True, "m")
    text = {
        "request": {"json": {"prompt": ["Why?"]}},
        "response": {"json": {"choices": [{"text": "a"}]}},
        "requestType": "complete",
        "eventType": "afterRequestHook",
    }
    assert PORTKEY.read(text).messages == ASKED
    assert PORTKEY.read(text).choices[0]["message"]["content"] == "a"
    assert PORTKEY.reply(None) == {"verdict": True}
    assert PORTKEY.reply(WITHHELD)["verdict"] is False
    assert PORTKEY.reply(PASSED)["verdict"] is True
    for wrong in ({**after, "requestType": "messages"}, {**after, "request": {}}, {**after, "request": {"json": {}}}):
        with pytest.raises(InvalidRequest):
            PORTKEY.read(wrong)


def test_agentgateway_tells_messages_then_choices():
    assert AGENTGATEWAY_REQUEST.read({"body": {"messages": ASKED}}).messages == ASKED
    call = AGENTGATEWAY_RESPONSE.read({"body": {"choices": [{"message": {"role": "assistant", "content": "a"}}]}})
    assert (call.messages, call.answered, call.choices[0]["finish_reason"]) == (None, True, "stop")
    assert list(AGENTGATEWAY_REQUEST.reply(None)["action"]) == ["reason"]
    assert AGENTGATEWAY_RESPONSE.reply(PASSED) == {"action": {"reason": "refusal"}}
    rejected = AGENTGATEWAY_RESPONSE.reply(WITHHELD)["action"]
    assert (rejected["status_code"], rejected["body"]) == (403, rejected["reason"])
    with pytest.raises(InvalidRequest):
        AGENTGATEWAY_RESPONSE.read({"body": {"choices": ["x"]}})
