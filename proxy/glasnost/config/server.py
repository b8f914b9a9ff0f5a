"""Settings of the gateway's own server."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from glasnost.config.fields import Count, Seconds, Settings
from glasnost.config.keys import Key


class ServerSettings(Settings):
    """Where the gateway listens, who may call it, and how much one request may weigh."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_535)] = 8080
    workers: Annotated[int, Field(ge=1, le=256)] = 1
    keys: tuple[Key, ...] = Field(default=(), strict=False)
    keys_file: Annotated[str, Field(min_length=1)] | None = None
    pepper_env: Annotated[str, Field(min_length=1)] | None = None
    insecure_no_auth: bool = False
    allowed_hosts: tuple[str, ...] = Field(default=(), strict=False)
    max_body_bytes: Count = 10 << 20
    body_seconds: Seconds = 30.0
    max_in_flight: Count = 512
    drain_min_seconds: Annotated[float, Field(ge=0, le=3_600)] = 5.0
    drain_seconds: Seconds = 120.0

    @model_validator(mode="after")
    def _drains_in_order(self) -> Self:
        if self.drain_min_seconds > self.drain_seconds:
            raise ValueError("drain_min_seconds must not be longer than drain_seconds")
        return self
