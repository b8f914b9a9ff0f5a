"""What an upstream sent instead of an answer, as our errors."""

from __future__ import annotations

import pytest

from glasnost.errors import UpstreamRejected
from glasnost.upstream.rejection import MAX_MESSAGE, error_in, redacted, rejection, reported, retry_after


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "17"}, 17),
        ({"retry-after": "0.2"}, 1),
        ({"retry-after-ms": "1500", "retry-after": "9"}, 2),
        ({"retry-after-ms": "soon", "retry-after": "9"}, 9),
        ({"retry-after": "Thu, 01 Jan 1970 00:02:00 GMT"}, 20),
        ({"retry-after": "Thu, 01 Jan 1970 00:00:00 GMT"}, 0),
        ({"retry-after": "tomorrow"}, None),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
    ],
)
def test_retry_after_is_read_in_each_of_its_forms(headers, seconds):
    assert retry_after(headers, now=100.0) == seconds


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"error": {"message": "m", "code": 7}}', "m"),
        (b'{"error": "m"}', "m"),
        (b'{"object": "error", "message": "m"}', "m"),
        (b'{"detail": "m"}', "m"),
        (b'{"detail": [{"msg": "m"}]}', [{"msg": "m"}]),
        (b"<html>", None),
        (b"[1]", None),
        (b"", None),
    ],
)
def test_the_error_is_found_in_the_bodies_of_different_servers(body, message):
    assert error_in(body).get("message") == message


def test_an_error_is_cut_to_size_and_holds_known_fields_only():
    error = redacted({"message": "x" * 10_000, "code": 7, "param": ["sk"], "trace": "secret", "type": None}, "sk")
    assert error == {"message": "x" * MAX_MESSAGE, "code": 7, "param": '["[redacted]"]'}


def test_a_message_is_found_for_an_empty_error():
    error = rejection("up", 500, {}, {}, secret=None)
    assert isinstance(error, UpstreamRejected)
    assert (str(error), error.status) == ("The upstream 'up' answered with HTTP 500.", 500)
    assert "no message" in str(reported("up", {}, secret=None))
