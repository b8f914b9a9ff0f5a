"""Settings of the audit: which policies judge."""

from __future__ import annotations

from pydantic import Field

from glasnost.config.fields import Settings


class AuditSettings(Settings):
    """Which policy packs judge: shipped ones by name, or folders by path."""

    packs: tuple[str, ...] = Field(default=("prc",), strict=False, min_length=1)
