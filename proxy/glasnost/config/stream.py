"""Settings of streams: how much is held, and for how long."""

from __future__ import annotations

from glasnost.config.fields import Count, Seconds, Settings, StreamMode


class StreamSettings(Settings):
    """How much of an on-topic stream is held, and for how long; sizes are characters of one choice."""

    mode: StreamMode = "hold"
    hold_chars: Count = 4_000
    hold_seconds: Seconds = 30.0
    keep_alive_seconds: Seconds = 5.0
    max_held_chars: Count = 1_000_000
