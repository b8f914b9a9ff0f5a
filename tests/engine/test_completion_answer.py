"""The old shape of completions, from events."""

from __future__ import annotations

import pytest

from glasnost.engine.answer import Tally
from glasnost.engine.completion_answer import TextChunks, WholeText
from glasnost.engine.events import Delta, End, Failure, TokenLogprob
from glasnost.errors import Overloaded
from glasnost.wire.chunk import Frame

FRAME = Frame("cmpl-1", 1, "m")


def whole(events, openings=("",), prompts=1):
    text = WholeText(FRAME, Tally(7, len(openings), prompts=prompts), openings)
    text.add(events)
    return text.completion()


def token(piece, logprob=-1.0, top=()):
    return TokenLogprob(piece, logprob, tuple(top))


def test_a_character_split_over_tokens_stands_where_it_begins():
    events = [
        Delta(0, "a", token(b"a")),
        Delta(0, "", token(b"\xe4\xb8")),
        Delta(0, "中", token(b"\xad")),
        Delta(0, "b", token(b"b")),
        End(0, "stop", 4, 0),
    ]
    [choice] = whole(events)["choices"]
    assert choice["text"] == "a中b"
    assert choice["logprobs"]["tokens"] == ["a", "bytes:\\xe4\\xb8", "bytes:\\xad", "b"]
    assert choice["logprobs"]["text_offset"] == [0, 1, 1, 2]


def test_offsets_begin_behind_what_was_echoed():
    events = [Delta(0, "a", token(b"a")), End(0, "stop", 1, 0)]
    [choice] = whole(events, ["said: "])["choices"]
    assert (choice["text"], choice["logprobs"]["text_offset"]) == ("said: a", [6])


def test_the_chosen_token_is_among_the_likeliest_whether_it_was_or_not():
    unlikely = token(b"c", -9.0, [(b"a", -0.1), (b"b", -2.0)])
    [choice] = whole([Delta(0, "c", unlikely), End(0, "stop", 1, 0)])["choices"]
    assert choice["logprobs"]["top_logprobs"] == [{"a": -0.1, "b": -2.0, "c": -9.0}]


def test_each_prompt_is_as_cached_as_it_was_for_its_first_choice():
    ends = [End(choice, "stop", 1, reused) for choice, reused in enumerate((3, 5, 2, 6))]
    assert whole(ends, [""] * 4, prompts=2)["usage"] == {
        "prompt_tokens": 7,
        "completion_tokens": 4,
        "total_tokens": 11,
        "prompt_tokens_details": {"cached_tokens": 5},
    }


def test_a_failure_is_raised():
    with pytest.raises(Overloaded):
        whole([Failure(Overloaded("no more"))])


def test_chunks_join_to_the_whole():
    events = [Delta(0, "a", token(b"a")), Delta(1, "", None), Delta(0, "", token(b"b")), End(0, "length", 2, 0)]
    chunks = TextChunks(FRAME, Tally(1, 2), ["x", ""], include_usage=True)
    found = chunks.opening() + [chunk for event in events for chunk in chunks.add(event)] + chunks.closing()
    *body, usage = found
    choices = [chunk["choices"][0] for chunk in body]
    assert [(choice["text"], choice["finish_reason"]) for choice in choices] == [
        ("x", None),
        ("a", None),
        ("", None),
        ("", "length"),
    ]
    assert [choice["logprobs"] and choice["logprobs"]["text_offset"] for choice in choices] == [None, [1], [2], None]
    assert (usage["choices"], usage["usage"]["completion_tokens"]) == ([], 2)
    assert {chunk["object"] for chunk in found} == {"text_completion"}
