"""Turns what an upstream sent instead of an answer into our errors; our own credentials never leave with it."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any

from glasnost.errors import InvalidRequest, UpstreamError, UpstreamRejected
from glasnost.upstream.heard import passed
from glasnost.wire import jsonio

MAX_MESSAGE = 2_000
_KEPT = ("message", "type", "param", "code")


def rejection(
    name: str, status: int, headers: Mapping[str, str], error: Mapping[str, Any], *, secret: str | None
) -> UpstreamError:
    """Give the error for an answer that is not a 200; `error` is its body's error object, as `error_in` reads it."""
    if status in (401, 403):
        # The client's key is not what was refused here, and such a body often repeats ours.
        return UpstreamError(f"The upstream {name!r} refused our credentials.", code="upstream_credentials")
    if status < 400:
        return UpstreamError(f"The upstream {name!r} answered with HTTP {status}, which is not followed.")
    kept = redacted(error, secret)
    message = kept.get("message") or f"The upstream {name!r} answered with HTTP {status}."
    return UpstreamRejected(
        message, status=status, error=kept, retry_after=retry_after(headers), headers=passed(headers, secret)
    )


def reported(name: str, error: Any, *, secret: str | None) -> UpstreamError:
    """Give the error that an upstream reports within a 200: an error frame, or an error object as the body."""
    said = redacted(_as_object(error), secret).get("message", "no message")
    return UpstreamError(f"The upstream {name!r} reported an error: {said}")


def redacted(error: Mapping[str, Any], secret: str | None) -> dict[str, Any]:
    """Keep the fields of an OpenAI error object, cut to size and with our key blotted out."""
    return {key: _clean(error[key], secret) for key in _KEPT if error.get(key) is not None}


def retry_after(headers: Mapping[str, str], now: float | None = None) -> int | None:
    """Read Retry-After in whole seconds, up; `now` is seconds since the epoch, by which a date is read."""
    for name, scale in (("retry-after-ms", 1_000), ("retry-after", 1)):
        try:
            seconds = float(headers[name]) / scale
        except (KeyError, ValueError):
            continue
        if math.isfinite(seconds) and seconds >= 0:
            return math.ceil(seconds)
    try:
        until = parsedate_to_datetime(headers["retry-after"]).timestamp()
    except (KeyError, ValueError, OverflowError):
        return None
    return max(0, math.ceil(until - (time.time() if now is None else now)))


def _clean(value: Any, secret: str | None) -> Any:
    if isinstance(value, int | float):
        return value
    text = value if isinstance(value, str) else jsonio.dumps(value).decode()
    return (text.replace(secret, "[redacted]") if secret else text)[:MAX_MESSAGE]


def error_in(body: bytes) -> Mapping[str, Any]:
    """Find the error object of a body, empty when it has none."""
    try:
        value = jsonio.loads(body)
    except InvalidRequest:
        return {}
    if not isinstance(value, dict):
        return {}
    # vLLM's older bodies are the error object itself; FastAPI's say `detail`.
    return _as_object(value.get("error", value.get("detail", value)))


def _as_object(error: Any) -> Mapping[str, Any]:
    return error if isinstance(error, dict) else {"message": error}
