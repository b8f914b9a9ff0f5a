"""Reads the named server-sent events that the Responses and Messages APIs stream."""

from __future__ import annotations

import json
from typing import Any


def events_of(frames: bytes) -> list[dict[str, Any]]:
    """Give the events of whole frames; each must be named as the type inside says."""
    found = []
    for block in frames.decode().split("\n\n")[:-1]:
        name, data = block.split("\n", 1)
        event = json.loads(data.removeprefix("data: "))
        assert name == f"event: {event['type']}"
        found.append(event)
    return found
