"""Bytes to text: whole characters, and nothing of a stop sequence."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from glasnost.engine.text import TextStream


def split(data, cuts):
    places = sorted({cut % (len(data) + 1) for cut in cuts} | {0, len(data)})
    return [data[start:end] for start, end in pairwise(places)]


def whole(stream, pieces):
    text = "".join(stream.feed(piece) for piece in pieces)
    return text if stream.stopped else text + stream.finish()


@given(st.text(), st.lists(st.integers(0, 10_000)))
def test_text_arrives_whole_however_its_bytes_are_split(text, cuts):
    assert whole(TextStream(), split(text.encode(), cuts)) == text


@given(
    st.text(alphabet="ab天", max_size=30),
    st.lists(st.text(alphabet="ab天", min_size=1, max_size=4), min_size=1, max_size=3),
    st.lists(st.integers(0, 100)),
)
def test_text_ends_before_the_first_stop_however_its_bytes_are_split(text, stops, cuts):
    by_character = [character.encode() for character in text]
    expected = whole(TextStream(tuple(stops)), by_character)
    stream = TextStream(tuple(stops))
    assert whole(stream, split(text.encode(), cuts)) == expected
    assert not any(stop in expected for stop in stops)
    assert stream.stopped == any(stop in text for stop in stops)


def test_a_character_appears_with_its_last_byte():
    stream = TextStream()
    assert [stream.feed(bytes([byte])) for byte in "🌍".encode()] == ["", "", "", "🌍"]


def test_what_might_become_a_stop_is_held_and_then_given():
    stream = TextStream(("END",))
    assert [stream.feed(piece) for piece in (b"a E", b"N", b"T")] == ["a ", "", "ENT"]


def test_what_was_held_comes_at_the_end():
    stream = TextStream(("END",))
    stream.feed(b"the EN")
    assert stream.finish() == "EN"


def test_nothing_comes_after_a_stop():
    stream = TextStream(("END",))
    assert stream.feed(b"so END more") == "so "
    assert stream.stopped
    assert (stream.feed(b"more"), stream.finish()) == ("", "")


def test_half_a_character_at_the_end_is_dropped_and_not_replaced():
    stream = TextStream()
    stream.feed("天".encode()[:2])
    assert stream.finish() == ""
