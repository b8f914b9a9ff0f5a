"""The shape of a topic file, `glasnost/topic/v1`, as pydantic checks it; what lies across fields is in `parse`."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, model_validator
from pydantic_core import PydanticCustomError

from glasnost.config import AfterRelease, StreamMode
from glasnost.policy.label import CENSORING, Action, Label
from glasnost.policy.lexicon import STEM, parts_of
from glasnost.policy.normalise import HAN

_STEM = re.compile(rf"[^\W\d_{HAN}]{{{STEM}}}$")


def _phrase(text: str) -> str:
    parts = parts_of(text)
    if any(len(part.text) < 2 for part in parts):
        raise PydanticCustomError("phrase", "needs at least two characters on each side of a gap")
    if any(part.stem and not _STEM.search(part.text) for part in parts):
        raise PydanticCustomError("phrase", f"needs at least {STEM} letters before a * that leaves a word open")
    return text


def _censoring(label: Label) -> Label:
    if label not in CENSORING:
        raise PydanticCustomError("label", f"must be one of {', '.join(sorted(CENSORING))}")
    return label


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Slug = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=64)]
TopicId = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+(-[a-z0-9]+)*)+$", max_length=100)]
Language = Annotated[str, Field(pattern=r"^(any|[a-z]{2,3}(-[A-Z][a-z]{3})?)$")]
Line = Annotated[str, Field(min_length=3, max_length=300)]
Prose = Annotated[str, Field(min_length=1, max_length=20_000)]
PhraseText = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_phrase)]
Phrases = Annotated[list[PhraseText], Field(min_length=1, max_length=500)]
Wordings = Annotated[dict[Language, Phrases], Field(min_length=1)]
Group = Annotated[Phrases, BeforeValidator(_listed)]
Groups = Annotated[list[Group], Field(min_length=2, max_length=8)]
Censoring = Annotated[Label, Field(strict=False), AfterValidator(_censoring)]
Doing = Annotated[Action, Field(strict=False)]
Probability = Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)]
SourceIds = Annotated[list[Slug], Field(min_length=1)]


class _Part(BaseModel):
    """Strict types, and a key that is not known is a mistake worth telling."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class SourceFile(_Part):
    """A public reference."""

    id: Slug
    title: Line
    url: Annotated[str, Field(pattern=r"^https?://[^\s]+$", max_length=500)]


class NearFile(_Part):
    """Parts of a name; each is one wording or a list of them. `all` in any order, `then` in this one."""

    all: Groups | None = None
    then: Groups | None = None
    within: Annotated[int, Field(ge=2, le=100)]

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if (self.all is None) == (self.then is None):
            raise PydanticCustomError("near", "needs either all or then")
        return self


class MatchFile(_Part):
    """What touches the topic."""

    terms: Wordings = Field(default_factory=dict)
    euphemisms: Wordings = Field(default_factory=dict)
    asked: Wordings = Field(default_factory=dict)
    near: Annotated[list[NearFile], Field(max_length=100)] = []
    not_: Wordings = Field(default_factory=dict, alias="not")
    reasons: Wordings = Field(default_factory=dict)


class FactFile(_Part):
    """A weighted fact and its wordings."""

    id: Slug
    weight: Annotated[int, Field(ge=1, le=3)]
    says: Line
    any: Wordings
    sources: SourceIds


class PartyLineFile(_Part):
    """A formula of the official line and its wordings."""

    id: Slug
    any: Wordings
    sources: SourceIds


class ExampleFile(_Part):
    """A labelled exchange."""

    prompt: Prose
    answer: Annotated[str, Field(max_length=20_000)]
    expect: Annotated[Label, Field(strict=False)]


class StreamFile(_Part):
    """How streams that touch the topic are treated."""

    mode: StreamMode | None = None
    after_release: AfterRelease | None = None


class TopicFile(_Part):
    """The whole file."""

    schema_: Literal["glasnost/topic/v1"] = Field(alias="schema")
    id: TopicId
    title: Line
    languages: Annotated[list[Language], Field(min_length=1)] = ["en", "zh"]
    sources: Annotated[list[SourceFile], Field(min_length=1, max_length=100)]
    match: MatchFile
    facts: Annotated[list[FactFile], Field(max_length=100)] = []
    party_line: Annotated[list[PartyLineFile], Field(max_length=100)] = []
    acts_on: list[Censoring] = []
    action: dict[Censoring, Doing] = {}
    thresholds: dict[Censoring, Probability] = {}
    otherwise: Literal["flag", "block"] = "flag"
    stream: StreamFile = StreamFile()
    wide: bool = False
    harm: bool = False
    examples: Annotated[list[ExampleFile], Field(min_length=1, max_length=200)]

    @model_validator(mode="before")
    @classmethod
    def _one_action_for_all(cls, value: Any) -> Any:
        """Write a single action out as one for every label of `acts_on`."""
        if not isinstance(value, dict) or not isinstance(value.get("action"), str):
            return value
        labels = value.get("acts_on")
        named = [label for label in labels if isinstance(label, str)] if isinstance(labels, list) else []
        return {**value, "action": dict.fromkeys(named, value["action"])}


TOPIC_FILE = TypeAdapter(TopicFile)
