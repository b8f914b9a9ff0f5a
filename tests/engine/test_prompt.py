"""From messages to tokens, with a tokenizer whose tokens are bytes."""

from __future__ import annotations

import pytest

from glasnost.engine.prompt import Prompter
from glasnost.engine.template import CHATML, ChatTemplate
from glasnost.errors import ContextLengthExceeded, InvalidRequest
from glasnost.wire.chat import ChatRequest


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
    assert prompt(message("Hi")) == ("<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n", False)


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
    assert prompt(message("Hi"), source="{{ messages[0].content + '<think>\n' }}") == ("Hi<think>\n", True)


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


@pytest.mark.parametrize("wrong", [[], "x", 5])
def test_template_variables_must_be_an_object(wrong):
    with pytest.raises(InvalidRequest) as refused:
        prompt(message("Hi"), chat_template_kwargs=wrong)
    assert refused.value.param == "chat_template_kwargs"


def test_an_empty_prompt_is_refused():
    with pytest.raises(InvalidRequest):
        prompt(message("Hi"), source="")
