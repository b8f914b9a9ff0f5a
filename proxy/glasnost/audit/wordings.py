"""Kinds of wording that tell how an answer was given, found in a sentence by one pass of linear-time automata.

The patterns stand in `manner_*` (how an answer is given) and `voice_*` (whose voice speaks), over normalised text (see
`policy.normalise`): lower case, straight quotes, Simplified characters, ASCII commas. English, Finnish and Russian are
in re2 syntax, Chinese in the part of it that `literals` reads. A pattern never reaches over the end of a sentence.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

from ahocorasick_rs import AhoCorasick

from glasnost.audit import manner_en, manner_fi, manner_ru, manner_zh, voice_en, voice_fi, voice_zh
from glasnost.audit.kinds import REASON, Group, Kind
from glasnost.audit.literals import alternatives


@dataclass(frozen=True, slots=True)
class Found:
    """A wording in a sentence; offsets into the normalised text, 0 for kinds that are counted but never shown."""

    kind: Kind
    why: str
    start: int
    end: int


_DECLINING = frozenset({Kind.REFUSAL, Kind.CANNED, Kind.DEFLECTION})
_LATIN = re.compile(r"[a-z]{3}")
CYRILLIC = re.compile(r"[\u0430-\u044f]{2}")
# Words and endings of nearly every Finnish sentence, and of few English ones; a wrong guess costs a pass.
_FINNISH = (
    r"\b(?:ja|ei|eivat|en|emme|etta|mutta|ovat|olen|voi|voin|voisin|joka|jotka|jossa|jotta|kuin|kuten|myos|seka|tai|"
    r"kiina[a-z]*|taman|sen|sita|ne|valitettavasti|pahoittelen|kiitos|kieltaydyn|tekoalyna|"
    r"[a-z]+(?:ssa|lla|lta|ksi|inen|iset|isia|esti|minen|misen|uus|yys|vat))\b"
)
_COUNTED = frozenset({Kind.CRITICISM, Kind.ATTRIBUTION, Kind.SAFETY, Kind.POLITICS})
_MEGABYTES = 16


class Wordings:
    """All wordings of all languages, compiled; a sentence costs one or two passes in each language it holds."""

    def __init__(self) -> None:
        self._manner, self._voice = _Latin(manner_en.GROUPS, beside=_FINNISH), _Latin(voice_en.GROUPS)
        self._reasons = _Latin(manner_en.REASONS)
        self._finnish = _Latin((*manner_fi.GROUPS, *manner_fi.REASONS, *voice_fi.GROUPS))
        self._russian = _Latin((*manner_ru.GROUPS, *manner_ru.REASONS))
        self._chinese = _Chinese((*manner_zh.GROUPS, *manner_zh.REASONS, *voice_zh.GROUPS))

    def find(self, text: str) -> list[Found]:
        """Give the first place of every wording in a normalised sentence, by position.

        Reasons are looked for only where something is declined: these words say nothing elsewhere.
        """
        found: list[Found] = []
        if _LATIN.search(text):
            found, finnish = self._manner.find(text)
            found += self._voice.find(text)[0]
            if finnish:
                found += self._finnish.find(text)[0]
        if not text.isascii():
            found += self._chinese.find(text)
            if CYRILLIC.search(text):
                found += self._russian.find(text)[0]
        if any(each.kind in _DECLINING for each in found):
            found += self._reasons.find(text)[0]
        else:
            found = [each for each in found if each.kind not in REASON]
        return sorted(found, key=_place)


def _place(found: Found) -> tuple[int, int]:
    return found.start, found.end


class _Latin:
    """One automaton of regular expressions: a pass tells which of them match.

    When its memory is full it starts afresh; unlike a single re2 search, a set never gives up on a slow text. Of one
    more expression, `beside`, only whether it matches is told.
    """

    def __init__(self, groups: Iterable[Group], beside: str | None = None) -> None:
        import re2  # noqa: PLC0415  # its C++ library loads in 12 ms, and only an audit needs it

        options = re2.Options()
        options.max_mem = _MEGABYTES << 20
        self._set = re2.Set.SearchSet(options)
        self._patterns: list[tuple[Group, Any]] = []
        for group in groups:
            for pattern in group.patterns:
                self._set.Add(pattern)
                self._patterns.append((group, re2.compile(pattern)))
        if beside is not None:
            self._set.Add(beside)
        self._set.Compile()

    def find(self, text: str) -> tuple[list[Found], bool]:
        found: list[Found] = []
        told = False
        for number in self._set.Match(text) or ():
            if number == len(self._patterns):
                told = True
                continue
            group, pattern = self._patterns[number]
            span = (0, 0) if group.kind in _COUNTED else pattern.search(text).span()
            found.append(Found(group.kind, group.why, *span))
        return found, told


class _Chinese:
    """One automaton of literals: a set of such expressions grows without bound on text where many of them match.

    An expression with gaps is tried by itself, where all of its parts are found.
    """

    def __init__(self, groups: Iterable[Group]) -> None:
        import re2  # noqa: PLC0415  # its C++ library loads in 12 ms, and only an audit needs it

        self._patterns = [(group, re2.compile(pattern)) for group in groups for pattern in group.patterns]
        self._needed: list[tuple[int, int]] = []  # of every alternative: its pattern, its parts as bits; 0 if exact
        parts: dict[str, list[tuple[int, int]]] = {}
        for number, (_, pattern) in enumerate(self._patterns):
            for each in alternatives(pattern.pattern):
                self._needed.append((number, 0 if each.exact else (1 << len(each.parts)) - 1))
                for index, literals in enumerate(each.parts):
                    for literal in literals:
                        parts.setdefault(literal, []).append((len(self._needed) - 1, 1 << index))
        self._parts = list(parts.values())
        self._automaton = AhoCorasick(list(parts), store_patterns=False)

    def find(self, text: str) -> list[Found]:
        spans: dict[int, tuple[int, int]] = {}
        held: dict[int, int] = {}
        for literal, start, end in self._automaton.find_matches_as_indexes(text, overlapping=True):
            for alternative, bit in self._parts[literal]:
                number, needed = self._needed[alternative]
                if needed:
                    held[alternative] = held.get(alternative, 0) | bit
                elif number not in spans or start < spans[number][0]:
                    spans[number] = (start, end)
        for alternative, bits in held.items():
            number, needed = self._needed[alternative]
            if bits == needed and number not in spans and (place := self._patterns[number][1].search(text)):
                spans[number] = place.span()
        return [
            Found(self._patterns[number][0].kind, self._patterns[number][0].why, *spans[number]) for number in spans
        ]


@cache
def wordings() -> Wordings:
    """Give all wordings, compiled once for the process."""
    return Wordings()
