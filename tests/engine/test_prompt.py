"""From messages to tokens, with a tokenizer whose tokens are bytes."""

from __future__ import annotations

import pytest

from glasnost.engine.prompt import Prompter
from glasnost.engine.reasoning import FAMILIES
from glasnost.engine.template import CHATML, ChatTemplate
from glasnost.errors import ContextLengthExceeded, InvalidRequest
from glasnost.wire.chat import ChatRequest

# How templates of thinking models end: like DeepSeek R1, Qwen3, DeepSeek V3.1, LFM 2.5, Magistral, and without any.
ALWAYS = "{{ messages[-1].content }}:{{ '<think>\\n' }}"
SWITCHED_OFF = (
    "{{ messages[-1].content }}:{% if enable_thinking is defined and not enable_thinking %}"
    "{{ '<think>\\n\\n</think>\\n\\n' }}{% endif %}"
)
SWITCHED_ON = "{{ messages[-1].content }}:{{ '<think>' if thinking else '<think></think>' }}"
UNASKED = "{{ messages[-1].content.split('</think>')[-1] }}:"
MAGISTRAL = "{{ messages[-1].content }}:{# [THINK] #}"
NEVER = "{{ messages[-1].content }}:"


class Bytes:
    def tokenize(self, text):
        return list(text.encode())


def prompt(*messages, source=CHATML, longest=1000, longest_piece=1, **body):
    request = ChatRequest.parse({"model": "m", "messages": list(messages), **body})
    made = Prompter(ChatTemplate(source), Bytes(), longest, longest_piece).prompt(request)
    return bytes(made.tokens).decode(), made.thinking


def message(content, role="user"):
    return {"role": role, "content": content}


def test_messages_become_the_text_of_the_template():
    assert prompt(message("Hi"))[0] == "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"


def test_a_developer_is_a_system_to_the_template():
    text, _ = prompt(message("Be brief.", "developer"), message("Hi"))
    assert text.startswith("<|im_start|>system\nBe brief.")


def test_text_parts_are_joined():
    text, _ = prompt(message([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]))
    assert "user\na\nb<|im_end|>" in text


def test_an_assistant_message_at_the_end_is_continued():
    text, _ = prompt(message("Hi"), message("According to", "assistant"))
    assert text.endswith("<|im_start|>assistant\nAccording to")


def test_missing_content_is_empty_text():
    text, _ = prompt({"role": "assistant"}, message("Hi"))
    assert "<|im_start|>assistant\n<|im_end|>" in text


def test_a_template_that_opens_the_thinking_is_noticed():
    text, thinking = prompt(message("Hi"), source=ALWAYS)
    assert (text, thinking.inside, thinking.wanted) == ("Hi:<think>\n", FAMILIES[0], True)


def test_a_template_that_closes_the_thinking_wants_none():
    text, thinking = prompt(message("Hi"), source=SWITCHED_ON)
    assert (text, thinking.inside, thinking.wanted) == ("Hi:<think></think>", None, False)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (ALWAYS, "Hi:<think>\n\n</think>\n\nAccording to"),
        (SWITCHED_OFF, "Hi:<think>\n\n</think>\n\nAccording to"),
        (SWITCHED_ON, "Hi:<think></think>According to"),
        (UNASKED, "Hi:<think>\n\n</think>\n\nAccording to"),
        (MAGISTRAL, "Hi:[THINK][/THINK]According to"),
        (NEVER, "Hi:According to"),
    ],
)
def test_an_answer_is_continued_behind_a_closed_thinking(source, expected):
    for wish in ({}, {"chat_template_kwargs": {"enable_thinking": True}}):
        text, thinking = prompt(message("Hi"), message("According to", "assistant"), source=source, **wish)
        assert text == expected
        assert (thinking.tags, thinking.inside, thinking.wanted) == ((), None, False)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (ALWAYS, "Hi:<think>\nHm.\n</think>\n\nSo"),
        (SWITCHED_OFF, "Hi:<think>\nHm.\n</think>\n\nSo"),
        (SWITCHED_ON, "Hi:<think>\nHm.\n</think>\n\nSo"),
        (MAGISTRAL, "Hi:[THINK]Hm.[/THINK]So"),
    ],
)
def test_what_the_client_thought_stands_before_the_answer(source, expected):
    said = {**message("So", "assistant"), "reasoning_content": " Hm.\n"}
    assert prompt(message("Hi"), said, source=source)[0] == expected


def test_a_thought_without_an_answer_is_followed_by_one():
    text, thinking = prompt(message("Hi"), {"role": "assistant", "reasoning_content": "Hm."}, source=ALWAYS)
    assert (text, thinking.tags) == ("Hi:<think>\nHm.\n</think>\n\n", ())


@pytest.mark.parametrize("content", [None, "", " \n", [], [{"type": "text", "text": ""}]])
def test_an_empty_beginning_is_none(content):
    text, thinking = prompt(message("Hi"), message(content, "assistant"), source=ALWAYS)
    assert (text, thinking.inside) == ("Hi:<think>\n", FAMILIES[0])


@pytest.mark.parametrize(
    ("content", "kept", "blank"), [("So, ", "So,", " "), ("f:\n \t", "f:\n", " \t"), ("a\n", "a\n", "")]
)
def test_the_blank_behind_a_beginning_is_left_to_the_model(content, kept, blank):
    text, thinking = prompt(message("Hi"), message(content, "assistant"), source=NEVER)
    assert (text, thinking.blank) == (f"Hi:{kept}", blank)


def test_parts_of_a_beginning_are_joined():
    parts = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    assert prompt(message("Hi"), message(parts, "assistant"), source=NEVER)[0] == "Hi:a\nb"


def test_an_assistant_message_of_calls_is_not_continued():
    call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    text, _ = prompt(message("Hi"), {**message("So", "assistant"), "tool_calls": [call]}, source=NEVER)
    assert text == "So:"


def test_a_beginning_needs_something_to_answer():
    with pytest.raises(InvalidRequest, match="/v1/completions") as refused:
        prompt(message("According to", "assistant"))
    assert refused.value.param == "messages"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (ALWAYS, "Hi:<think>\n\n</think>\n\n"),
        (SWITCHED_OFF, "Hi:<think>\n\n</think>\n\n"),
        (SWITCHED_ON, "Hi:<think></think>"),
        (UNASKED, "Hi:<think>\n\n</think>\n\n"),
        (NEVER, "Hi:"),
    ],
)
@pytest.mark.parametrize("wish", [{"reasoning_effort": "none"}, {"thinking": False}, {"enable_thinking": False}])
def test_no_thinking_is_asked_of_a_model_in_its_own_way(source, expected, wish):
    text, thinking = prompt(message("Hi"), source=source, **wish)
    assert (text, thinking.inside, thinking.wanted) == (expected, None, False)


def test_thinking_is_switched_on_by_an_effort():
    text, thinking = prompt(message("Hi"), source=SWITCHED_ON, reasoning_effort="low")
    assert (text, thinking.inside) == ("Hi:<think>", FAMILIES[0])


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning", "thinking"])
def test_the_reasoning_of_earlier_answers_has_every_name(name):
    said = {**message("So", "assistant"), name: "Hm."}
    source = "{% set m = messages[0] %}{{ m.reasoning_content ~ m.reasoning ~ m.thinking }}"
    assert prompt(said, message("Hi"), source=source)[0] == "Hm.Hm.Hm."


def test_reasoning_is_text():
    with pytest.raises(InvalidRequest) as refused:
        prompt({**message("So", "assistant"), "reasoning_content": [1]}, message("Hi"))
    assert refused.value.param == "messages[0].reasoning_content"


def test_variables_for_the_template_come_from_the_request():
    text, _ = prompt(message("Hi"), source="{{ enable_thinking }}", chat_template_kwargs={"enable_thinking": False})
    assert text == "False"


@pytest.mark.parametrize(("length", "fits"), [(999, True), (1000, False), (5_000_000, False)])
def test_a_prompt_must_leave_room_for_an_answer(length, fits):
    def ask():
        return prompt(message("x" * length), source="{{ messages[0].content }}")

    if fits:
        ask()
    else:
        with pytest.raises(ContextLengthExceeded) as refused:
            ask()
        assert refused.value.code == "context_length_exceeded"


@pytest.mark.parametrize(
    ("content", "param"),
    [([{"type": "image_url", "image_url": {"url": "file:///etc/passwd"}}], "messages[0].content")],
)
def test_what_is_no_text_is_refused(content, param):
    with pytest.raises(InvalidRequest) as refused:
        prompt(message(content))
    assert refused.value.param == param


def test_an_empty_prompt_is_refused():
    with pytest.raises(InvalidRequest):
        prompt(message("Hi"), source="")
