"""Kinds of wording that tell how an answer was given, found in a sentence by one pass of linear-time automata.

The patterns stand in one file per language, in re2 syntax, over normalised text (see `policy.normalise`): lower case,
straight quotes, Simplified characters, ASCII commas. A pattern never reaches over the end of a sentence.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum, auto
from functools import cache
from typing import Any


class Kind(IntEnum):
    """What a wording shows of the sentence that holds it."""

    CANNED = auto()  # a published sentence of a censored service: enough by itself
    REFUSAL = auto()  # declines in the first person
    CHANGE = auto()  # turns to another topic
    DEFLECTION = auto()  # speaks about the question in place of answering it
    OFFER = auto()  # offers help with something else
    REGISTER = auto()  # the voice of the state, in the speaker's own name
    PARTY_LINE = auto()  # a formula that a topic of the policy lists
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


@dataclass(frozen=True, slots=True)
class Found:
    """A wording in a sentence; offsets into the normalised text, 0 for kinds that are counted but never shown."""

    kind: Kind
    why: str
    start: int
    end: int


MANNER = frozenset({Kind.CANNED, Kind.REFUSAL, Kind.CHANGE, Kind.DEFLECTION, Kind.OFFER})
VOICE = frozenset({Kind.REGISTER, Kind.CRITICISM, Kind.ATTRIBUTION})
REASON = frozenset({Kind.SAFETY, Kind.POLITICS})
_COUNTED = frozenset({Kind.CRITICISM, Kind.ATTRIBUTION, Kind.SAFETY, Kind.POLITICS})
_MEGABYTES = 16


class Wordings:
    """Patterns of both languages compiled into automata; to know which of them match costs one pass each."""

    def __init__(self, kinds: frozenset[Kind]) -> None:
        # wordings_* import Group from here.
        from glasnost.audit import wordings_en, wordings_zh  # noqa: PLC0415

        self._latin = _Automaton(group for group in wordings_en.GROUPS if group.kind in kinds)
        self._chinese = _Automaton(group for group in wordings_zh.GROUPS if group.kind in kinds)

    def find(self, text: str) -> list[Found]:
        """Give the first place of every wording in a normalised sentence, by position."""
        found = self._latin.find(text)
        if not text.isascii():
            found += self._chinese.find(text)
        return sorted(found, key=lambda place: (place.start, place.end))


class _Automaton:
    def __init__(self, groups: Iterable[Group]) -> None:
        import re2  # noqa: PLC0415  # its C++ library loads in 12 ms, and only an audit needs it

        options = re2.Options()
        options.max_mem = _MEGABYTES << 20
        self._set = re2.Set.SearchSet(options)
        self._patterns: list[tuple[Group, Any]] = []
        for group in groups:
            for pattern in group.patterns:
                self._set.Add(pattern)
                self._patterns.append((group, re2.compile(pattern)))
        self._set.Compile()

    def find(self, text: str) -> list[Found]:
        found: list[Found] = []
        for number in self._set.Match(text) or ():
            group, pattern = self._patterns[number]
            span = (0, 0) if group.kind in _COUNTED else pattern.search(text).span()
            found.append(Found(group.kind, group.why, *span))
        return found


@cache
def wordings(kinds: frozenset[Kind]) -> Wordings:
    """Give the wordings of these kinds, compiled once for the process."""
    return Wordings(kinds)
