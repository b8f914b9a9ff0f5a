"""JSON in and out of bytes, strict on the way in."""

from __future__ import annotations

from typing import Any

import orjson

from glasnost.errors import InvalidRequest


def loads(data: bytes | bytearray | memoryview) -> Any:
    """Parse UTF-8 JSON; NaN, invalid UTF-8, lone surrogates and absurd nesting are an InvalidRequest.

    What is audited and sent on is always this value serialised anew, so a duplicate key cannot mean one thing
    to us and another to an upstream.
    """
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise InvalidRequest(
            f"The body is not valid JSON: {error.msg} at line {error.lineno}.", code="invalid_json"
        ) from None


def loads_object(data: bytes | bytearray | memoryview) -> dict[str, Any]:
    """Parse a JSON object; anything else is an InvalidRequest."""
    value = loads(data)
    if not isinstance(value, dict):
        raise InvalidRequest("The body must be a JSON object.", code="invalid_json")
    return value


def dumps(value: Any) -> bytes:
    """Serialise to compact UTF-8."""
    return orjson.dumps(value)
