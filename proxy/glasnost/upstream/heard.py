"""The headers of an upstream's answer that its client needs, kept for whoever asked.

They go by a context variable: the rungs that lie between ask twice, translate or continue, and have no use for them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextvars import ContextVar

MAX_VALUE = 512

# Limits and timings that SDKs read. Nothing that names the operator's account, such as `openai-organization`.
_PASSED = re.compile(
    r"retry-after(-ms)?|x-should-retry|openai-(processing-ms|version)|(x-|anthropic-)?ratelimit-[a-z0-9-]+"
)
_PLAIN = re.compile(r"[\x20-\x7e]*")
_heard: ContextVar[dict[str, str] | None] = ContextVar("heard", default=None)


def listen() -> dict[str, str]:
    """Give the place where the headers of the next answers will stand, for all that runs in this context."""
    place: dict[str, str] = {}
    _heard.set(place)
    return place


def hear(headers: Mapping[str, str], secret: str | None = None) -> None:
    """Put an answer's headers there, but none that repeats our key, `secret`; those of an earlier answer go."""
    place = _heard.get()
    if place is not None:
        place.clear()
        place.update(passed(headers, secret))


def passed(headers: Mapping[str, str], secret: str | None = None) -> dict[str, str]:
    """Give the headers that are passed on, unchanged; the upstream's request id under a name that is not ours.

    One that repeats our key, `secret`, is not passed on.
    """
    kept = {name.lower(): value for name, value in headers.items() if _PASSED.fullmatch(name.lower())}
    if "x-request-id" in headers:
        kept["x-upstream-request-id"] = headers["x-request-id"]
    sound = {name: value for name, value in kept.items() if len(value) <= MAX_VALUE and _PLAIN.fullmatch(value)}
    return {name: value for name, value in sound.items() if not secret or secret not in value}
