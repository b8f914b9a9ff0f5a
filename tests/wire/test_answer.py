"""Reading what a model said: every field that can carry text is read, from completions and chunks alike."""

import pytest

from glasnost.wire.answer import Answer, Fragment, answers_of, finish_reasons_of, fragments_of

MESSAGES = [
    ({"content": "a"}, "content"),
    ({"content": [{"type": "text", "text": "a"}]}, "content"),
    ({"reasoning_content": "a"}, "reasoning"),
    ({"reasoning": "a"}, "reasoning"),
    ({"reasoning_details": [{"type": "reasoning.text", "text": "a"}]}, "reasoning"),
    ({"reasoning_details": [{"type": "reasoning.summary", "summary": "a"}], "reasoning": None}, "reasoning"),
    ({"refusal": "a"}, "refusal"),
    ({"tool_calls": [{"function": {"name": "f", "arguments": "a"}}]}, "tool_arguments"),
    ({"tool_calls": [{"custom": {"name": "f", "input": "a"}}]}, "tool_arguments"),
    ({"function_call": {"name": "f", "arguments": "a"}}, "tool_arguments"),
    ({"audio": {"transcript": "a"}}, "content"),
]


@pytest.mark.parametrize(("message", "field"), MESSAGES)
def test_every_text_bearing_field_is_read(message, field):
    assert answers_of({"choices": [{"message": message}]}) == (Answer(**{field: "a"}),)
    assert fragments_of({"choices": [{"index": 2, "delta": message}]}) == [Fragment(2, field, "a")]


def test_every_choice_is_read_with_its_end():
    completion = {
        "choices": [
            {"message": {"content": "x"}, "finish_reason": "stop"},
            {"message": {"content": None, "refusal": "no"}, "finish_reason": "content_filter"},
        ]
    }
    assert answers_of(completion) == (
        Answer(content="x", finish_reason="stop"),
        Answer(refusal="no", finish_reason="content_filter"),
    )


def test_a_usage_chunk_has_neither_text_nor_end():
    chunk = {"choices": [], "usage": {"total_tokens": 3}}
    assert fragments_of(chunk) == []
    assert finish_reasons_of(chunk) == {}


def test_white_space_alone_is_an_empty_answer():
    assert Answer(content=" \n").empty
    assert not Answer(tool_arguments="{}").empty
