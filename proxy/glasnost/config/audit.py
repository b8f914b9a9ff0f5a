"""Settings of the audit: which policies judge, what is unsure, and who is asked then."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from glasnost.config.fields import Settings
from glasnost.config.opinions import JudgeSettings, SemanticSettings

_Chance = Annotated[float, Field(ge=0, le=1)]


def _in_order(band: tuple[float, float]) -> tuple[float, float]:
    if band[0] > band[1]:
        raise ValueError("must be two probabilities, the smaller first")
    return band


class AuditSettings(Settings):
    """Which policy packs judge: shipped ones by name, or folders by path.

    `unsure` are the probabilities of censorship between which a second opinion is asked for, if one is configured.
    """

    packs: tuple[str, ...] = Field(default=("prc",), strict=False, min_length=1)
    unsure: Annotated[tuple[_Chance, _Chance], AfterValidator(_in_order)] = Field(default=(0.1, 0.9), strict=False)
    semantic: SemanticSettings | None = None
    judge: JudgeSettings | None = None
