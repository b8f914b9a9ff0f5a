"""JSON in: what no two parsers agree on is refused, or settled by serialising it anew."""

import pytest

from glasnost.errors import InvalidRequest
from glasnost.wire import jsonio


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b'{"a": NaN}', b'{"a": Infinity}', b'"\xff"', b'"\\ud800"', b"[" * 100_000, b"\xef\xbb\xbf{}", b"{}{}"],
)
def test_what_is_not_strict_json_is_a_400(data):
    with pytest.raises(InvalidRequest) as raised:
        jsonio.loads(data)
    assert raised.value.code == "invalid_json"


def test_a_duplicate_key_means_one_thing_from_here_on():
    assert jsonio.dumps(jsonio.loads(b'{"a": 1, "a": 2}')) == b'{"a":2}'


@pytest.mark.parametrize("data", [b"[]", b"3", b"null"])
def test_a_body_must_be_an_object(data):
    with pytest.raises(InvalidRequest):
        jsonio.loads_object(data)
