"""The pair of question and answer, as it is cut for a second reader."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glasnost.audit.pair import Lengths, answer_of, question_of, spoken
from glasnost.wire.answer import Answer

SHORT = Lengths(question=5, head=10, tail=5)


def test_what_fits_is_kept_on_one_line():
    assert answer_of("A short\n\n answer.", SHORT) == "A short answer."
    assert question_of(" Why?\n", SHORT) == "Why?"


def test_a_long_answer_is_its_beginning_and_its_end():
    text = "".join(chr(97 + number % 26) for number in range(500))
    assert answer_of(text, SHORT) == f"{text[:40]} … {text[-20:]}"
    assert question_of(text, SHORT) == text[:20]


def test_chinese_counts_for_more():
    assert question_of("天安门广场发生了什么事情", SHORT) == "天安门广场发生"


@given(st.text(), st.floats(1, 100), st.floats(0, 100))
def test_no_text_comes_out_longer_than_asked_for(text, head, tail):
    lengths = Lengths(10, head, tail)
    assert len(answer_of(text, lengths)) <= 4 * (head + tail) + len(" … ")


def test_what_nobody_sees_is_left_out():
    assert answer_of("com\u200bplete\u202e!", SHORT) == "complete!"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Answer(content="<think>secret</think> Yes."), "Yes."),
        (Answer(content="Yes.", reasoning="secret"), "Yes."),
        (Answer(refusal="I decline.", tool_arguments='{"q": 1}'), 'I decline.\n{"q": 1}'),
        (Answer(content="<think>never ended"), ""),
    ],
)
def test_reasoning_is_not_said(answer, said):
    assert spoken(answer) == said
