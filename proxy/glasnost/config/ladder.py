"""Settings of rerouting: the rungs of a ladder and what they may cost."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from glasnost.config.fields import Count, Name, Seconds, Settings


class RerouteSettings(Settings):
    """What a ladder may cost in all: attempts after the first, and seconds from the first verdict on."""

    max_attempts: Count = 4
    seconds: Seconds = 120.0


class ReframeRung(Settings):
    """Ask the same model again, with a system message that asks for documented facts."""

    rung: Literal["reframe"]
    system: Annotated[str, Field(min_length=1, max_length=4_000)] | None = None


class ModelRung(Settings):
    """Ask another model of this configuration."""

    rung: Literal["model"]
    model: Name


Rung = Annotated[ReframeRung | ModelRung, Field(discriminator="rung")]
