"""Chunks of our own have the shape that every client parses."""

from glasnost.wire.chunk import Frame


def test_chunks_of_a_stream_share_their_frame():
    frame = Frame("id-1", 7, "m")
    assert frame.chunk({"content": "x"}, index=1, finish_reason="stop") == {
        "id": "id-1",
        "object": "chat.completion.chunk",
        "created": 7,
        "model": "m",
        "choices": [{"index": 1, "delta": {"content": "x"}, "logprobs": None, "finish_reason": "stop"}],
    }
    assert frame.usage({"total_tokens": 1})["choices"] == []
