"""Thinking taken out of the text, however the text is split."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glasnost.engine.reasoning import (
    FAMILIES,
    MARKERS,
    NO_THINKING,
    ReasoningSplitter,
    Thinking,
    tags_in,
    without_thinking,
)

OPEN = Thinking()
INSIDE = Thinking(inside=FAMILIES[0])
HARMONY = FAMILIES[-1]


def fields(pieces, thinking):
    splitter = ReasoningSplitter(thinking)
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
        ("An answer.", OPEN, ("", "An answer.")),
        ("<think>\nHm.\n</think>\n\nAn answer.", OPEN, ("Hm.", "An answer.")),
        ("\n <think>Hm.</think>An answer.", OPEN, ("Hm.", "An answer.")),
        ("<think>\n\n</think>\n\nAn answer.", OPEN, ("", "An answer.")),
        ("<think></think>", OPEN, ("", "")),
        ("Hm.\n</think>\nAn answer.", INSIDE, ("Hm.", "An answer.")),
        ("Hm, cut off ", INSIDE, ("Hm, cut off", "")),
        ("<think>a < b </th", OPEN, ("a < b </th", "")),
        ("The tag <think> opens.", OPEN, ("", "The tag <think> opens.")),
        ("<think>a</think>b</think>c<think>", OPEN, ("a", "b</think>c<think>")),
        ("<thi", OPEN, ("", "<thi")),
        ("  indented", OPEN, ("", "  indented")),
        ("<thinker>", OPEN, ("", "<thinker>")),
        ("", INSIDE, ("", "")),
        ("[THINK]Hm.[/THINK]An answer.", OPEN, ("Hm.", "An answer.")),
        ("[THINK]Hm.</think>", OPEN, ("Hm.</think>", "")),
        ("<|channel>thought\nHm.\n<channel|>An answer.", OPEN, ("Hm.", "An answer.")),
        (f"{HARMONY.open}Hm.{HARMONY.close}An answer.", OPEN, ("Hm.", "An answer.")),
        (f"{HARMONY.answer}An answer.", OPEN, ("", "An answer.")),
        ("<think>a", NO_THINKING, ("", "<think>a")),
        (" \n <think>a", NO_THINKING, ("", " \n <think>a")),
        ("<think>a</think>b", Thinking(FAMILIES[1:2]), ("", "<think>a</think>b")),
        ("  to", Thinking((), blank=" "), ("", " to")),
        ("to ", Thinking((), blank=" "), ("", "to ")),
        ("\t to", Thinking((), blank=" \t "), ("", "\t to")),
    ],
)
def test_thinking_and_answer_are_told_apart(text, thinking, expected):
    assert fields([text], thinking) == expected
    assert fields(list(text), thinking) == expected


@pytest.mark.parametrize("tags", FAMILIES)
def test_every_family_of_models_has_its_thinking_told_apart(tags):
    assert fields([f"{tags.around('Hm.')}An answer."], OPEN) == ("Hm.", "An answer.")
    assert fields([f"{tags.around('')}An answer."], OPEN) == ("", "An answer.")


tags = [mark for each in FAMILIES for mark in (each.open, each.close, each.answer)]
parts = st.sampled_from(["<think>", "</think>", "<th", "ink>", "</", "\n", " ", "a", "天", "<", ">", *tags])
ways = st.builds(
    Thinking,
    st.sampled_from([FAMILIES, ()]),
    st.sampled_from([None, *FAMILIES]),
    blank=st.sampled_from(["", " ", " \t"]),
)


@given(st.lists(parts, max_size=14).map("".join), ways, st.lists(st.integers(0, 100)))
def test_any_split_gives_the_same_fields(text, thinking, cuts):
    places = sorted({cut % (len(text) + 1) for cut in cuts} | {0, len(text)})
    pieces = [text[start:end] for start, end in pairwise(places)]
    assert fields(pieces, thinking) == fields([text], thinking)


def test_text_is_given_as_it_comes():
    splitter = ReasoningSplitter(INSIDE)
    assert splitter.feed("one ") == [("reasoning_content", "one")]
    assert splitter.feed("two</think>three") == [("reasoning_content", " two"), ("content", "three")]
    assert splitter.feed(" four") == [("content", " four")]


@pytest.mark.parametrize(
    ("text", "thinking", "empty"),
    [
        ("<think>\n\n</think>\n\nNo.", OPEN, True),
        ("\n</think>No.", INSIDE, True),
        ("<think></think>", OPEN, True),
        ("<think>\n a \n</think>No.", OPEN, False),
        ("<think>\n\n", OPEN, False),
        ("No.", OPEN, False),
        ("<think>\n\n</think>No.", Thinking(wanted=False), False),
        ("<think>\n\n</think>No.", NO_THINKING, False),
        (f"{HARMONY.answer}No.", OPEN, False),
    ],
)
def test_thinking_that_closed_without_a_thought_is_empty(text, thinking, empty):
    whole, single = ReasoningSplitter(thinking), ReasoningSplitter(thinking)
    whole.feed(text)
    for character in text:
        single.feed(character)
    assert (whole.empty, single.empty) == (empty, empty)


def test_a_template_tells_its_tags():
    assert tags_in("{{ '<think>' }}") == FAMILIES[:1]
    assert tags_in("{{ content.split('</think>')[-1] }}") == FAMILIES[:1]
    assert tags_in("{{ content }}") == ()


def test_tags_that_may_be_single_tokens_are_known():
    assert {"<think>", "</think>", "[/THINK]", "<|END_THINKING|>", "<|channel|>", "<|end|>", "<channel|>"} <= set(
        MARKERS
    )


@pytest.mark.parametrize(
    ("prompt", "thought", "expected"),
    [
        ("A:<think>\n", "", "A:<think>\n\n</think>\n\n"),
        ("A:<think>\n", "Hm.", "A:<think>\nHm.\n</think>\n\n"),
        ("A:<think></think>", "", "A:<think></think>"),
        ("A:\n<think>\n\n</think>\n\n", "", "A:\n<think>\n\n</think>\n\n"),
        ("A:\n<think>\n\n</think>\n\n", "Hm.", "A:\n<think>\nHm.\n</think>\n\n"),
        ("A:\n</think>", "Hm.", "A:\n<think>\nHm.\n</think>\n\n"),
        ("A:\n", "", "A:\n<think>\n\n</think>\n\n"),
        ("A:[THINK]", "Hm.", "A:[THINK]Hm.[/THINK]"),
    ],
)
def test_a_prompt_is_brought_behind_its_thinking(prompt, thought, expected):
    assert without_thinking(prompt, FAMILIES, thought, add=True) == expected


def test_a_model_that_does_not_think_is_given_no_thinking():
    assert without_thinking("A:\n", FAMILIES, add=False) == "A:\n"


def test_an_answer_with_an_opening_of_its_own_needs_no_empty_thinking():
    assert without_thinking("A", (HARMONY,), add=True) == f"A{HARMONY.answer}"
    assert without_thinking("A", (HARMONY,), "Hm.", add=True) == f"A{HARMONY.open}Hm.{HARMONY.close}"
