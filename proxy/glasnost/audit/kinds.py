"""Kinds of wording, and groups of patterns that show them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, auto


class Kind(IntEnum):
    """What a wording shows of the sentence that holds it."""

    CANNED = auto()  # a published sentence of a censored service: enough by itself
    REFUSAL = auto()  # declines in the first person
    CHANGE = auto()  # turns to another topic
    DEFLECTION = auto()  # speaks about the question in place of answering it
    OFFER = auto()  # offers help with something else
    REGISTER = auto()  # the voice of the state, in the speaker's own name
    DENIAL = auto()  # calls reports of abuse untrue, which is that voice too
    PARTY_LINE = auto()  # a formula that a topic of the policy lists
    REMEDY = auto()  # says that what is wrong is being put right
    CRITICISM = auto()  # reports what critics, victims or records say
    ATTRIBUTION = auto()  # reports a claim as somebody's claim
    SAFETY = auto()  # gives harm, crime or danger as its reason
    POLITICS = auto()  # gives politics or sensitivity as its reason


@dataclass(frozen=True, slots=True)
class Group:
    """Patterns that show the same thing; `why` is what an evidence span says of them."""

    kind: Kind
    why: str
    patterns: tuple[str, ...]


REASON = frozenset({Kind.SAFETY, Kind.POLITICS})
