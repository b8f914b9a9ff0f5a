"""The SSE codec: one reading for every way the bytes can be split."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glasnost.errors import UpstreamError
from glasnost.wire import jsonio, sse
from glasnost.wire.sse import Decoder, Event

STREAMS = [
    (b"data: a\n\ndata: b\n\n", [b"a", b"b"]),
    (b"data: a\r\n\r\ndata: b\r\n\r\n", [b"a", b"b"]),
    (b"data: a\r\rdata: b\r\r", [b"a", b"b"]),
    (b"\xef\xbb\xbfdata: a\n\n", [b"a"]),
    (b": comment\n\ndata: a\n: more\n\n", [b"a"]),
    (b"data: a\ndata: b\n\n", [b"a\nb"]),
    (b"data:a\n\ndata:  b\n\n", [b"a", b" b"]),
    (b"data\n\n", [b""]),
    (b"id: 7\nretry: 3\ndata: a\n\n", [b"a"]),
    (b"data: unfinished\n", []),
]


def decode(pieces: list[bytes]) -> list[bytes]:
    decoder = Decoder()
    return [event.data for piece in pieces for event in decoder.feed(piece)]


@pytest.mark.parametrize(("stream", "expected"), STREAMS)
def test_any_line_ending_and_field_is_read_as_the_standard_says(stream, expected):
    assert decode([stream]) == expected


@given(st.sampled_from(STREAMS), st.lists(st.integers(0, 60), max_size=8))
def test_any_split_of_the_bytes_gives_the_same_events(case, cuts):
    stream, _ = case
    bounds = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    pieces = [stream[a:b] for a, b in pairwise(bounds)]
    assert decode(pieces) == decode([stream])


@given(st.text())
def test_any_model_text_comes_back_as_one_event(text):
    data = jsonio.dumps({"text": text}) if not any("\ud800" <= c <= "\udfff" for c in text) else b"{}"
    (event,) = Decoder().feed(sse.encode(data))
    assert event.data == data


def test_a_named_event_keeps_its_name_and_the_next_has_none():
    assert Decoder().feed(b"event: error\ndata: x\n\ndata: y\n\n") == [Event("error", b"x"), Event("", b"y")]


def test_a_line_above_the_limit_is_an_upstream_error_and_not_memory():
    decoder = Decoder(max_line=1000)
    for _ in range(10):
        decoder.feed(b"x" * 100)
    with pytest.raises(UpstreamError) as raised:
        decoder.feed(b"x")
    assert raised.value.code == "upstream_response_too_large"
