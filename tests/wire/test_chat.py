"""Parsing a chat request: what is checked, what is refused, and what passes untouched."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glasnost.errors import InvalidRequest
from glasnost.wire.chat import REFUSED_FIELDS, ChatRequest

HELLO = {"model": "m", "messages": [{"role": "user", "content": "Hello"}]}

WRONG = [
    ({"messages": HELLO["messages"]}, "model"),
    ({**HELLO, "model": ""}, "model"),
    ({**HELLO, "model": 3}, "model"),
    ({**HELLO, "messages": []}, "messages"),
    ({**HELLO, "messages": "hi"}, "messages"),
    ({**HELLO, "messages": ["hi"]}, "messages[0]"),
    ({**HELLO, "messages": [{"role": "wizard", "content": "x"}]}, "messages[0].role"),
    ({**HELLO, "messages": [{"role": "user", "content": 3}]}, "messages[0].content"),
    ({**HELLO, "messages": [{"role": "user", "content": ["x"]}]}, "messages[0].content"),
    ({**HELLO, "messages": [{"role": "assistant", "tool_calls": 3}]}, "messages[0].tool_calls"),
    ({**HELLO, "stream": "yes"}, "stream"),
    ({**HELLO, "stream_options": []}, "stream_options"),
    ({**HELLO, "stream_options": {"include_usage": 1}}, "include_usage"),
    ({**HELLO, "n": 0}, "n"),
    ({**HELLO, "n": 10**9}, "n"),
    ({**HELLO, "n": True}, "n"),
    ({**HELLO, "chat_template_kwargs": {"chat_template": "{{ x }}"}}, "chat_template_kwargs.chat_template"),
]


@pytest.mark.parametrize(("body", "param"), WRONG)
def test_a_wrong_field_is_named(body, param):
    with pytest.raises(InvalidRequest) as raised:
        ChatRequest.parse(body)
    assert raised.value.param == param
    assert raised.value.status == 400


@pytest.mark.parametrize("field", sorted(REFUSED_FIELDS))
def test_a_caller_cannot_set_what_belongs_to_the_operator(field):
    with pytest.raises(InvalidRequest) as raised:
        ChatRequest.parse({**HELLO, field: "http://evil.example"})
    assert raised.value.param == field


@given(st.dictionaries(st.text(min_size=1).filter(lambda k: k not in REFUSED_FIELDS | HELLO.keys()), st.integers()))
def test_unknown_fields_reach_the_upstream_untouched(extra):
    for known in ("stream", "stream_options", "n", "chat_template_kwargs"):
        extra.pop(known, None)
    sent = ChatRequest.parse({**HELLO, **extra}).for_upstream("up", stream=False)
    assert sent.body == {**HELLO, **extra, "model": "up", "stream": False}


def test_a_stream_is_always_counted_upstream_and_other_options_are_kept():
    request = ChatRequest.parse({**HELLO, "stream": True, "stream_options": {"include_obfuscation": False}})
    sent = request.for_upstream("up", stream=True)
    assert sent.body["stream_options"] == {"include_obfuscation": False, "include_usage": True}
    assert not request.include_usage


def test_the_prompt_is_the_last_user_turn_and_parts_are_joined():
    request = ChatRequest.parse(
        {
            "model": "m",
            "messages": [
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}]},
                {"role": "assistant", "tool_calls": [{"function": {"arguments": "{}"}}]},
                {"role": "tool", "content": "result"},
            ],
        }
    )
    conversation = request.conversation
    assert conversation.prompt == "one\ntwo"
    assert [turn.role for turn in conversation.history] == ["system", "assistant", "tool"]
    assert conversation.history[1].text == "{}"
