"""Settings of a model: the name that clients ask for."""

from __future__ import annotations

from pydantic import Field

from glasnost.config.fields import Name, Settings, StreamMode
from glasnost.config.ladder import Rung


class ModelSettings(Settings):
    """A name that clients ask for: the upstream behind it, and its ladder."""

    upstream: Name
    ladder: tuple[Rung, ...] = Field(default=(), strict=False, max_length=16)
    mode: StreamMode | None = None
