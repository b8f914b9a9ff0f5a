"""Settings of the gateway's own server."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from glasnost.config.fields import Count, KeyHash, Seconds, Settings


class ServerSettings(Settings):
    """Where the gateway listens, who may call it, and how much one request may weigh."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_535)] = 8080
    keys: tuple[KeyHash, ...] = Field(default=(), strict=False)
    insecure_no_auth: bool = False
    allowed_hosts: tuple[str, ...] = Field(default=(), strict=False)
    max_body_bytes: Count = 10 << 20
    body_seconds: Seconds = 30.0
    max_in_flight: Count = 512
    drain_seconds: Seconds = 30.0
