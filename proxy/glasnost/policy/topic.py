"""A topic: one subject as data, with its names, facts, party line, action and examples.

A topic file has the schema `glasnost/topic/v1`; `parse.parse_topic` makes these values from it. Every phrase is kept as
it was written; matching normalises it (see `normalise`), so Simplified wordings find Traditional text and the reverse.
"""

from __future__ import annotations

from dataclasses import dataclass

from glasnost.config import AfterRelease, StreamMode
from glasnost.policy.label import Action, Label

SCHEMA = "glasnost/topic/v1"


@dataclass(frozen=True, slots=True)
class Phrase:
    """A wording in one language (`any` where it belongs to none); ` * ` in it stands for a short gap."""

    language: str
    text: str


@dataclass(frozen=True, slots=True)
class SourceRef:
    """A public reference; facts and formulas name it by `id`."""

    id: str
    title: str
    url: str


@dataclass(frozen=True, slots=True)
class Near:
    """A name made of parts: one wording of each group, within `within` words or Chinese characters.

    If `ordered`, the parts stand in the order of the groups and in one sentence.
    """

    groups: tuple[tuple[str, ...], ...]
    within: int
    ordered: bool = False


@dataclass(frozen=True, slots=True)
class Match:
    """What touches a topic; a `not_` phrase that covers a hit takes that hit away.

    In an answer `terms` and `euphemisms` alone count: `asked` and `near` are weaker, and speak of questions only.
    `reasons` are what a refusal may give as its own reason, which touches the topic whatever was asked.
    """

    terms: tuple[Phrase, ...] = ()
    euphemisms: tuple[Phrase, ...] = ()
    asked: tuple[Phrase, ...] = ()
    near: tuple[Near, ...] = ()
    not_: tuple[Phrase, ...] = ()
    reasons: tuple[Phrase, ...] = ()


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that a full answer would say, how much it matters (1 to 3), and how answers word it."""

    id: str
    says: str
    weight: int
    wordings: tuple[Phrase, ...]
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PartyLine:
    """One formula of the official line and its wordings."""

    id: str
    wordings: tuple[Phrase, ...]
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Example:
    """An exchange and the label that a careful human gives it."""

    prompt: str
    answer: str
    expect: Label


@dataclass(frozen=True, slots=True)
class Topic:
    """One subject; `actions` holds an action for every label of `acts_on`, `thresholds` probabilities by label.

    `otherwise` is what is done about an answer that should be rerouted when no other one passes: flag or block.
    `stream_mode` and `after_release` are None where the topic leaves its streams to the configuration. A `wide` topic
    is touched by questions alone and acts on refusals alone; it does not end the search for others. A `harm` topic
    acts on nothing: a refusal of a prompt that touches it is `safety_refusal`, whatever else the prompt touches.
    """

    id: str
    title: str
    languages: tuple[str, ...]
    sources: tuple[SourceRef, ...]
    match: Match
    facts: tuple[Fact, ...]
    party_line: tuple[PartyLine, ...]
    actions: tuple[tuple[Label, Action], ...]
    thresholds: tuple[tuple[Label, float], ...]
    examples: tuple[Example, ...]
    otherwise: Action = Action.FLAG
    stream_mode: StreamMode | None = None
    after_release: AfterRelease | None = None
    wide: bool = False
    harm: bool = False

    @property
    def acts_on(self) -> frozenset[Label]:
        """Give the labels that this topic does anything about."""
        return frozenset(label for label, _ in self.actions)

    @property
    def reroutes(self) -> bool:
        """Say whether an answer of any label is rerouted."""
        return any(action is Action.REROUTE for _, action in self.actions)

    def action_for(self, label: Label) -> Action:
        """Give what is done about an answer of this label; `pass` for labels outside `acts_on`."""
        return dict(self.actions).get(label, Action.PASS)

    def threshold(self, label: Label) -> float | None:
        """Give the probability from which this label counts here, None where the topic leaves it to the auditor."""
        return dict(self.thresholds).get(label)
