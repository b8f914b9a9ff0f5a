"""Settings of a model: the name that clients ask for."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from glasnost.config.fields import Balance, Name, Settings, StreamMode
from glasnost.config.ladder import ModelRung, ModelsRung, Rung


class ModelSettings(Settings):
    """A name that clients ask for: the upstream behind it, or several that serve the same model, and its ladder.

    `family` is that of the model's training, for the choice of a judge; None is what the model's names tell.
    """

    upstream: Name | None = None
    upstreams: tuple[Name, ...] = Field(default=(), strict=False, max_length=64)
    balance: Balance = "order"
    ladder: tuple[Rung, ...] = Field(default=(), strict=False, max_length=16)
    mode: StreamMode | None = None
    race: bool = False
    family: Name | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.upstream is None) == (not self.upstreams):
            raise ValueError("takes upstream, or upstreams as a list")
        if self.race and not any(isinstance(rung, ModelRung | ModelsRung) for rung in self.ladder):
            raise ValueError("a race needs a rung with another model: add one to the ladder, or leave race out")
        return self

    @property
    def serving(self) -> tuple[Name, ...]:
        """The upstreams that serve this model, in their order."""
        return (self.upstream,) if self.upstream is not None else self.upstreams
