"""Settings of second opinions: the semantic tier, and the judge."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from glasnost.config.fields import Count, Name, Seconds, Settings


class SemanticSettings(Settings):
    """Which upstream gives vectors, and when it is asked.

    `head` is the path of a head; without one, the shipped head of the upstream's file. `auto` is always where the
    engine computes on a GPU, and elsewhere only for what is unsure.
    """

    upstream: Name
    head: Annotated[str, Field(min_length=1)] | None = None
    when: Literal["auto", "always", "unsure"] = "auto"
    seconds: Seconds = 2.0


class JudgeSettings(Settings):
    """Which model of this configuration judges what is unsure, and what it may cost.

    `rubric_file` holds another rubric than the shipped one, and is read into `rubric` when the gateway starts.
    `on_failure` is the least that is done about an answer
    on which the judge was late, gave no opinion that can be read, or was asked too often.
    """

    model: Name
    rubric: Annotated[str, Field(min_length=1, max_length=20_000)] | None = None
    rubric_file: Annotated[str, Field(min_length=1)] | None = None
    seconds: Seconds = 10.0
    per_minute: Count = 60
    cached: Annotated[int, Field(ge=0, le=1_000_000)] = 1_024
    on_failure: Literal["pass", "flag", "reroute", "block"] = "flag"

    @model_validator(mode="after")
    def _one(self) -> Self:
        if self.rubric is not None and self.rubric_file is not None:
            raise ValueError("takes rubric or rubric_file, not both")
        return self
