"""Completions of bare text: what is checked, and that a server's shape survives the way through that of a chat."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glasnost.errors import InvalidRequest, UpstreamUnavailable
from glasnost.wire.answer import answers_of, fragments_of
from glasnost.wire.chat import ChatRequest
from glasnost.wire.completions import COMPLETIONS, CompletionsDialect, as_chat, bare_body, chat_body

ASK = {"model": "m", "prompt": "Once upon a time"}

JSON = st.recursive(st.none() | st.booleans() | st.integers(-9, 9) | st.text(), st.lists, max_leaves=4)
CHOICE = st.fixed_dictionaries(
    {"index": st.integers(0, 3), "text": st.text(min_size=1), "logprobs": st.none(), "finish_reason": st.just("stop")},
    optional={"x_future": JSON, "stop_reason": JSON},
)


def dialect(**fields):
    return CompletionsDialect({**ASK, **fields}, "1", 7)


def events(frames: bytes):
    return [json.loads(line[6:]) for line in frames.decode().split("\n\n") if line.startswith("data: {")]


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"prompt": None}, "prompt"),
        ({"prompt": []}, "prompt"),
        ({"prompt": [1, 2, 3]}, "prompt"),
        ({"prompt": [[1, 2], [3]]}, "prompt"),
        ({"prompt": ["x"] * 129}, "prompt"),
        ({"messages": [{"role": "user", "content": "x"}]}, "messages"),
        ({"tools": [{}]}, "tools"),
        ({"echo": 1}, "echo"),
        ({"logprobs": 21}, "logprobs"),
        ({"logprobs": True}, "logprobs"),
        ({"logprobs": 1, "echo": True}, "logprobs"),
        ({"n": 10**9}, "n"),
        ({"api_base": "http://evil.example"}, "api_base"),
    ],
)
def test_a_wrong_field_is_named(fields, param):
    with pytest.raises(InvalidRequest) as raised:
        dialect(**fields)
    assert raised.value.param == param


def test_a_prompt_is_the_turn_that_an_auditor_reads_and_the_text_that_a_server_continues():
    (request,) = dialect(top_k=3, logprobs=2).requests
    assert request.conversation.prompt == ASK["prompt"]
    sent = bare_body(request.for_upstream("up", stream=False))
    assert sent == {"model": "up", "prompt": ASK["prompt"], "stream": False, "top_k": 3, "logprobs": 2}


def test_a_system_message_of_a_rung_comes_before_the_prompt():
    (request,) = dialect().requests
    with_system = request.with_fields(messages=[{"role": "system", "content": "Be frank."}, *request.messages])
    assert bare_body(with_system)["prompt"] == "Be frank.\n\nOnce upon a time"


def test_an_upstream_that_knows_chats_alone_is_asked_in_their_words():
    (request,) = dialect(logprobs=2, best_of=1, suffix="x", max_tokens=5).requests
    body = chat_body(request)
    assert body["messages"] == [{"role": "user", "content": ASK["prompt"]}]
    assert (body["logprobs"], body["top_logprobs"], body["max_tokens"]) == (True, 2, 5)
    assert not {"best_of", "suffix"} & body.keys()
    chat = ChatRequest.parse({"model": "m", "messages": [{"role": "user", "content": "x"}], "logprobs": True})
    assert chat_body(chat) is chat.body


@settings(deadline=None)
@given(
    st.lists(CHOICE, min_size=1, max_size=4, unique_by=lambda choice: choice["index"]), st.dictionaries(st.text(), JSON)
)
def test_what_a_server_answered_comes_back_as_it_was(choices, extra):
    owned = {"id", "object", "created", "choices", "usage", "glasnost"}
    body = {name: value for name, value in extra.items() if name not in owned} | {"choices": choices, "usage": None}
    chat = as_chat(body, "message")
    assert [answer.content for answer in answers_of(chat)] == [choice["text"] for choice in choices]
    back = dialect().whole([chat])
    assert {name: value for name, value in back.items() if name not in owned - {"choices", "usage"}} == body
    streamed = as_chat(body, "delta")
    assert [fragment.text for fragment in fragments_of(streamed)] == [choice["text"] for choice in choices]
    (event,) = events(dialect().frames(streamed, 0))
    assert event["choices"] == choices


def test_the_choices_of_a_second_prompt_follow_those_of_the_first_and_echo_opens_each():
    both = dialect(prompt=["a ", "b "], n=2, echo=True)
    answer = {"choices": [{"index": at, "message": {"content": str(at)}, "finish_reason": "stop"} for at in range(2)]}
    used = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
    whole = both.whole([{**answer, "usage": used, "glasnost": {"id": number}} for number in range(2)])
    assert [(choice["index"], choice["text"]) for choice in whole["choices"]] == [
        (0, "a 0"),
        (1, "a 1"),
        (2, "b 0"),
        (3, "b 1"),
    ]
    assert whole["usage"] == {"prompt_tokens": 2, "completion_tokens": 4, "total_tokens": 6}
    assert whole["glasnost"] == [{"id": 0}, {"id": 1}]


def test_log_probabilities_of_a_chat_become_lists_with_offsets():
    token = {"token": "Pa", "logprob": -0.5, "bytes": [1], "top_logprobs": [{"token": "Pa", "logprob": -0.5}]}
    more = {"token": "ris", "logprob": -0.1, "top_logprobs": []}
    asked = dialect()
    frames = b""
    for each in (token, more):
        choice = {"index": 0, "delta": {"content": each["token"]}, "logprobs": {"content": [each]}}
        frames += asked.frames({"choices": [choice]}, 0)
    assert [event["choices"][0]["logprobs"] for event in events(frames)] == [
        {"tokens": ["Pa"], "token_logprobs": [-0.5], "top_logprobs": [{"Pa": -0.5}], "text_offset": [0]},
        {"tokens": ["ris"], "token_logprobs": [-0.1], "top_logprobs": [{}], "text_offset": [2]},
    ]


def test_a_chunk_that_only_opens_a_message_has_no_event_and_a_withheld_answer_has_its_words():
    asked = dialect()
    assert asked.frames({"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]}, 0) == b""
    (event,) = events(asked.frames({"choices": [{"index": 0, "delta": {"refusal": "Withheld."}}]}, 0))
    assert event["choices"][0]["text"] == "Withheld."
    assert (event["id"], event["object"], event["created"]) == ("cmpl-1", "text_completion", 7)


def test_a_shape_that_nobody_knows_is_left_to_be_refused():
    assert as_chat({"choices": "x"}, "message") == {"choices": "x"}
    assert as_chat({"choices": [{"text": 3}]}, "message")["choices"][0]["message"]["content"] == 3


def test_an_abnormal_end_is_an_error_frame():
    assert COMPLETIONS.name == "completions"
    (event,) = events(dialect().fail(UpstreamUnavailable("Gone.")))
    assert event["error"]["message"] == "Gone."
    assert dialect().end() == b"data: [DONE]\n\n"
