"""Many phrases, each with a payload, found in one pass over a normalised text.

Rules kept here:
- a phrase in letters or digits ends at a word's edge, and a number at a number's edge; Chinese has no such edges;
- `*` at the end of a word leaves its end open (`uiguuri*`, `suure* palomuuri*`), for languages that inflect;
- inside a word that was spelled with separators (`T.i.a.n...`) letters have no edges either;
- ` * ` in a phrase stands for a gap of at most `GAP` words or Chinese characters, within one sentence;
- the time taken grows with the text and its hits, not with the number of phrases.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

import ahocorasick_rs

from glasnost.policy.normalise import HAN, Normalised, normalise

if TYPE_CHECKING:
    from collections.abc import Iterable

GAP = 8

STEM = 4
"""The letters that a word with an open end must have before its `*`."""

_UNIT = re.compile(f"[{HAN}]|[^\\W{HAN}]+")
_GAP_MARK = re.compile(r"(?:^|\s)\*(?:\s|$)")
_AFTER_STEM = re.compile(r"(?<=\S\*)\s+")
_LONGEST_UNIT = 24  # with the space after it; what is further apart than so many of these is not measured
_SENTENCE_END = re.compile(r"[.!?;](?=\s|$)|[。！？；\n]")

Payload = TypeVar("Payload")


class Hit(NamedTuple, Generic[Payload]):
    """A phrase that was found: its payload, its wording as listed, and its span in the normalised text."""

    payload: Payload
    phrase: str
    start: int
    end: int


class Stretch(NamedTuple):
    """A piece of a phrase that is found as it stands, in the normal form; it ends at a gap or at an open word."""

    text: str
    stem: bool  # its last word's end is open
    next: bool = False  # it follows an open word at once: no gap lies between


class Ruler:
    """Tells how far apart two places of one text are, in words and Chinese characters; reads the text when it must."""

    __slots__ = ("_ends", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self._ends: list[int] | None = None

    def within(self, start: int, end: int, limit: int) -> bool:
        """Tell whether at most `limit` units end after `start` and no later than `end`."""
        if end - start <= limit:
            return True
        if end - start > (limit + 1) * _LONGEST_UNIT:
            return False
        if self._ends is None:
            self._ends = [found.end() for found in _UNIT.finditer(self.text)]
        return bisect_right(self._ends, end) - bisect_right(self._ends, start) <= limit


@dataclass(frozen=True, slots=True)
class _Part(Generic[Payload]):
    """One stretch of a phrase; a phrase without gaps and open words has the single part 0."""

    payload: Payload
    phrase: str
    number: int
    index: int
    last: bool
    next: bool


class Lexicon(Generic[Payload]):
    """An automaton over (payload, phrase) pairs; the same phrase may carry several payloads."""

    def __init__(self, pairs: Iterable[tuple[Payload, str]]) -> None:
        found: dict[Stretch, list[_Part[Payload]]] = {}
        for number, (payload, phrase) in enumerate(pairs):
            stretches = parts_of(phrase)
            for index, stretch in enumerate(stretches):
                part = _Part(payload, phrase, number, index, index == len(stretches) - 1, stretch.next)
                found.setdefault(stretch, []).append(part)
        # Later parts stand first: a stretch that occurs twice in a phrase must not follow itself.
        self._parts = [sorted(parts, key=lambda part: -part.index) for parts in found.values()]
        self._edged = [_is_edged(each.text[:1]) or _is_edged(each.text[-1:]) for each in found]
        self._stems = [each.stem for each in found]
        texts = [each.text for each in found]
        self._automaton = ahocorasick_rs.AhoCorasick(texts, store_patterns=False) if texts else None

    def find(self, normalised: Normalised) -> list[Hit[Payload]]:
        """Give every phrase in the text, overlapping ones too, in the order of their ends."""
        if self._automaton is None:
            return []
        text = normalised.text
        found = self._automaton.find_matches_as_indexes(text, overlapping=True)
        if not found:
            return []
        around = f" {text} "  # what stands before and after a hit, one place on
        ruler = Ruler(text)
        hits: list[Hit[Payload]] = []
        reached: dict[tuple[int, int], tuple[int, int]] = {}
        for pattern, start, end in found:
            blank = around[start] == " " == around[end + 1]
            if (
                not blank
                and self._edged[pattern]
                and not _edges_hold(normalised, start, end, stem=self._stems[pattern])
            ):
                continue
            for part in self._parts[pattern]:
                opened: int | None = start
                if part.index:
                    before = reached.get((part.number, part.index - 1))
                    if before is None:
                        continue
                    opened = _continued(text, ruler, before, start, next_=part.next)
                if opened is None:
                    continue
                if part.last:
                    hits.append(Hit(part.payload, part.phrase, opened, end))
                else:
                    reached[part.number, part.index] = opened, end
        return hits


def _continued(text: str, ruler: Ruler, before: tuple[int, int], start: int, *, next_: bool) -> int | None:
    """Give where a phrase began whose earlier parts span `before`, if the gap up to `start` may be one."""
    if before[1] > start:
        return None
    room = int(text[before[1]].isalnum()) if next_ else GAP  # the rest of an open word counts as one
    if not ruler.within(before[1], start, room):
        return None
    return before[0] if one_sentence(text, before[1], start) else None


def one_sentence(text: str, start: int, end: int) -> bool:
    """Tell whether no sentence ends between two places of a normalised text."""
    return _SENTENCE_END.search(text, start, end) is None


@lru_cache(maxsize=1 << 16)  # the parser asks first, then each automaton that holds the phrase
def parts_of(phrase: str) -> tuple[Stretch, ...]:
    """Split a phrase at its gaps and open words, and normalise each; empty ones are left for the parser to refuse."""
    if "*" not in phrase:
        return (Stretch(normalise(phrase.strip()).text, stem=False, next=False),)
    return tuple(
        Stretch(normalise(piece.removesuffix("*")).text, piece.endswith("*"), next=bool(index))
        for part in _GAP_MARK.split(phrase)
        for index, piece in enumerate(_AFTER_STEM.split(part.strip()))
    )


def _edges_hold(normalised: Normalised, start: int, end: int, *, stem: bool) -> bool:
    text = normalised.text
    if start and _joins(text, start - 1, start, -1):
        return _inside(normalised.joined, start, end) and not text[start].isdigit()
    if not stem and end < len(text) and _joins(text, end, end - 1, 1):
        return _inside(normalised.joined, start, end) and not text[end - 1].isdigit()
    return True


def _joins(text: str, outer: int, inner: int, step: int) -> bool:
    """Tell whether the character outside a phrase makes one word, or one number, with the phrase's own edge."""
    own, neighbour = text[inner], text[outer]
    if own.isdigit():
        beyond = text[outer + step : outer + step + 1] if outer + step >= 0 else ""
        return neighbour.isdigit() or _is_letter(neighbour) or (neighbour in ".," and beyond.isdigit())
    return _is_letter(own) and _is_letter(neighbour)


def _is_letter(character: str) -> bool:
    """Tell whether the character belongs to a script that sets words apart: none from the CJK blocks on does."""
    return character < "\u2e80" and character.isalpha()


def _is_edged(character: str) -> bool:
    """Tell whether a phrase that begins or ends with this character has an edge there that must be looked at."""
    return character.isdigit() or _is_letter(character)


def _inside(joined: tuple[tuple[int, int], ...], start: int, end: int) -> bool:
    index = bisect_right(joined, start, key=itemgetter(0)) - 1
    return index >= 0 and end <= joined[index][1]
