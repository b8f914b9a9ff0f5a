"""An answer that the client began, on a real model: only what follows comes back, and it fits."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.model

QUESTION = {"role": "user", "content": "What is the capital of France?"}


def ask(engine, messages, path="/v1/chat/completions", **fields):
    body = {"model": "m", "messages": messages, "temperature": 0, "max_tokens": 12, **fields}
    with engine.client() as client:
        return client.post(path, json=body)


def begun(engine, beginning, **fields):
    answer = ask(engine, [QUESTION, {"role": "assistant", **beginning}], **fields)
    return answer.json()["choices"][0]["message"]["content"]


def test_the_blank_that_the_client_has_does_not_come_twice(smollm):
    behind_a_word = begun(smollm, {"content": "The capital of France is"})
    assert behind_a_word.startswith(" ")
    assert begun(smollm, {"content": "The capital of France is "}) == behind_a_word[1:]


def test_the_prompt_ends_with_the_beginning(smollm):
    parts = [{"type": "text", "text": "According to \t"}]
    shown = ask(smollm, [QUESTION, {"role": "assistant", "content": parts}], "/apply-template").json()
    assert shown["prompt"].endswith("<|im_start|>assistant\nAccording to")


def test_a_thought_of_the_client_stands_before_the_answer(smollm):
    said = {"role": "assistant", "reasoning_content": "Easy.", "content": "It is"}
    shown = ask(smollm, [QUESTION, said], "/apply-template").json()
    assert shown["prompt"].endswith("<|im_start|>assistant\n<think>\nEasy.\n</think>\n\nIt is")


def test_an_empty_beginning_changes_nothing(smollm):
    plain = ask(smollm, [QUESTION]).json()["choices"][0]["message"]["content"]
    assert begun(smollm, {"content": ""}) == plain


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"reasoning_effort": "extreme"}, "reasoning_effort"),
        ({"chat_template_kwargs": {"enable_thinking": "no"}}, "chat_template_kwargs.enable_thinking"),
    ],
)
def test_a_wrong_wish_for_thinking_is_a_bad_request(smollm, fields, param):
    answer = ask(smollm, [QUESTION], **fields)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)
