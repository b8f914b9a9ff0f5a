"""Settings of rerouting: the rungs of a ladder and what they may cost."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from glasnost.config.failover import Ratio
from glasnost.config.fields import Count, Name, Seconds, Settings

Prompt = Annotated[str, Field(min_length=1, max_length=8_000)]
#: What becomes of earlier answers of a conversation that were censored, when a rung asks again.
History = Literal["keep", "mark", "drop"]


class RerouteSettings(Settings):
    """What a ladder may cost in all: attempts after the first, and seconds from the first verdict on."""

    max_attempts: Count = 4
    seconds: Seconds = 120.0
    history: History = "drop"
    order: Literal["configured", "learned"] = "configured"
    explore: Ratio = 0.05


class RungSettings(Settings):
    """What every rung takes: limits of its answer, in tokens and in seconds until the client gets its first text."""

    max_tokens: Count | None = None
    seconds: Seconds | None = None


class PromptedRung(RungSettings):
    """A rung with words of its own: `prompt` holds them, `prompt_file` is read into it when the gateway starts."""

    prompt: Prompt | None = None
    prompt_file: Annotated[str, Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if self.prompt is not None and self.prompt_file is not None:
            raise ValueError("takes prompt or prompt_file, not both")
        return self


class ReframeRung(PromptedRung):
    """Ask the same model again, with a system message that asks for documented facts."""

    rung: Literal["reframe"]


class PrefillRung(PromptedRung):
    """Ask the same model again, with the beginning of its answer written for it.

    `fields` go into the request as they are: a server may need to be told to continue a message.
    """

    rung: Literal["prefill"]
    closed_think: bool = False
    fields: dict[str, Any] = Field(default_factory=dict)


class LanguageRung(PromptedRung):
    """Ask the same model in English and give the answer in the user's language.

    `translator` is the model that translates, by default the asked one itself; `prompt` tells it how.
    """

    rung: Literal["language"]
    translator: Name | None = None


class RawRung(PromptedRung):
    """Ask the same model without its chat template: the conversation as text, which it continues."""

    rung: Literal["raw"]


class ModelRung(RungSettings):
    """Ask another model of this configuration."""

    rung: Literal["model"]
    model: Name


class ModelsRung(RungSettings):
    """Ask other models of this configuration, one after the other."""

    rung: Literal["models"]
    models: tuple[Name, ...] = Field(min_length=1, max_length=16, strict=False)


Rung = Annotated[
    ReframeRung | PrefillRung | LanguageRung | RawRung | ModelRung | ModelsRung, Field(discriminator="rung")
]


def models_of(rung: Rung) -> dict[str, str]:
    """Give the other models that a rung needs, by the path of the setting that names each."""
    if isinstance(rung, ModelRung):
        return {"model": rung.model}
    if isinstance(rung, ModelsRung):
        return {f"models[{index}]": name for index, name in enumerate(rung.models)}
    if isinstance(rung, LanguageRung) and rung.translator is not None:
        return {"translator": rung.translator}
    return {}


def targets_of(rung: Rung, model: str) -> tuple[str, ...]:
    """Give the models whose answer a rung of `model` may serve."""
    if isinstance(rung, ModelsRung):
        return rung.models
    return (rung.model,) if isinstance(rung, ModelRung) else (model,)
