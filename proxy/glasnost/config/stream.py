"""Settings of streams: how much is held, for how long, and what happens when a hold or a verdict comes too late."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from glasnost.config.fields import AfterRelease, Bytes, Count, Overflow, Seconds, Settings, StreamMode

SEPARATOR = "\n\n---\n\n*The answer above left out or refused what was asked. Another answer follows.*\n\n"

TopicKey = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+(-[a-z0-9]+)*)*$", max_length=100)]


class OpeningCap(Settings):
    """How long an opening may stay undecided: tokens and bytes of what answers, seconds since it was asked for.

    A token is estimated as four bytes of UTF-8.
    """

    tokens: Count | None = 1_000
    bytes: Bytes | None = None
    seconds: Seconds | None = 30.0
    overflow: Overflow = "release"


class HeldCap(Settings):
    """How much of a stream may wait, and for how long, whatever it waits for; the memory that a stream may take."""

    tokens: Count | None = None
    bytes: Bytes = 1 << 20
    seconds: Seconds | None = None
    overflow: Overflow = "block"


class TopicStream(Settings):
    """How the streams of a pack or a topic are treated, in place of what its own files say."""

    mode: StreamMode | None = None
    after_release: AfterRelease | None = None


class StreamSettings(Settings):
    """How streams are treated where neither topic, model, key nor request says more."""

    mode: StreamMode = "hold"
    opening: OpeningCap = OpeningCap()
    held: HeldCap = HeldCap()
    max_bytes: Bytes = 4 << 20
    after_release: AfterRelease = "flag"
    separator: Annotated[str, Field(min_length=1, max_length=1_000)] = SEPARATOR
    topics: dict[TopicKey, TopicStream] = Field(default_factory=dict)
    keep_alive_seconds: Seconds = 5.0
