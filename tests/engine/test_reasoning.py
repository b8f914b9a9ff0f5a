"""Thinking taken out of the text, however the text is split."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glasnost.engine.reasoning import ReasoningSplitter


def fields(pieces, *, thinking=False):
    splitter = ReasoningSplitter(thinking=thinking)
    found = {"reasoning_content": "", "content": ""}
    for piece in pieces:
        for field, text in splitter.feed(piece):
            assert text
            found[field] += text
    for field, text in splitter.finish():
        found[field] += text
    return found["reasoning_content"], found["content"]


@pytest.mark.parametrize(
    ("text", "thinking", "expected"),
    [
        ("An answer.", False, ("", "An answer.")),
        ("<think>\nHm.\n</think>\n\nAn answer.", False, ("Hm.", "An answer.")),
        ("\n <think>Hm.</think>An answer.", False, ("Hm.", "An answer.")),
        ("<think>\n\n</think>\n\nAn answer.", False, ("", "An answer.")),
        ("<think></think>", False, ("", "")),
        ("Hm.\n</think>\nAn answer.", True, ("Hm.", "An answer.")),
        ("Hm, cut off ", True, ("Hm, cut off", "")),
        ("<think>a < b </th", False, ("a < b </th", "")),
        ("The tag <think> opens.", False, ("", "The tag <think> opens.")),
        ("<think>a</think>b</think>c<think>", False, ("a", "b</think>c<think>")),
        ("<thi", False, ("", "<thi")),
        ("  indented", False, ("", "  indented")),
        ("<thinker>", False, ("", "<thinker>")),
        ("", True, ("", "")),
    ],
)
def test_thinking_and_answer_are_told_apart(text, thinking, expected):
    assert fields([text], thinking=thinking) == expected
    assert fields(list(text), thinking=thinking) == expected


parts = st.sampled_from(["<think>", "</think>", "<th", "ink>", "</", "\n", " ", "a", "天", "<", ">"])


@given(st.lists(parts, max_size=14).map("".join), st.booleans(), st.lists(st.integers(0, 100)))
def test_any_split_gives_the_same_fields(text, thinking, cuts):
    places = sorted({cut % (len(text) + 1) for cut in cuts} | {0, len(text)})
    pieces = [text[start:end] for start, end in pairwise(places)]
    assert fields(pieces, thinking=thinking) == fields([text], thinking=thinking)


def test_text_is_given_as_it_comes():
    splitter = ReasoningSplitter(thinking=True)
    assert splitter.feed("one ") == [("reasoning_content", "one")]
    assert splitter.feed("two</think>three") == [("reasoning_content", " two"), ("content", "three")]
    assert splitter.feed(" four") == [("content", " four")]
