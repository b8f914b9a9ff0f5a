"""Where a text touches a topic: its names, the parts of a name that stand near each other, and what they are not."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Literal, NamedTuple

from glasnost.policy.lexicon import Hit, Lexicon, Ruler, one_sentence

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from glasnost.policy.normalise import Normalised
    from glasnost.policy.topic import Near, Topic


@dataclass(frozen=True, slots=True)
class _Name:
    """A phrase of a topic: a name of it, a `not` phrase, or a wording in one group of one of its `near` conditions."""

    topic: str
    kind: Literal["name", "not", "near"]
    listed: str
    near: tuple[str, int] = ("", 0)  # the topic, and the number of its condition
    group: int = 0


class Span(NamedTuple):
    """A place that touches a topic: the name as listed, and offsets into the normalised text."""

    topic_id: str
    term: str
    start: int
    end: int


class TopicMatcher:
    """One automaton over every name of every topic; its cost does not depend on how many topics there are.

    For an answer (`asked=False`) neither `near` nor the names that count in questions alone are looked for. People
    write the same name with a hyphen and without (`Hang-tung`, `Zero COVID`), so a hyphen is as good as a space.
    """

    def __init__(self, topics: Iterable[Topic], *, asked: bool = True) -> None:
        self._near: dict[str, tuple[Near, ...]] = {}
        self._whole: dict[tuple[str, int], int] = {}  # of every condition, a bit for each of its groups
        pairs: list[tuple[_Name, str]] = []
        for topic in topics:
            self._near[topic.id] = topic.match.near
            for index, near in enumerate(topic.match.near):
                self._whole[topic.id, index] = (1 << len(near.groups)) - 1
            pairs += ((name, _spaced(name.listed)) for name in _names(topic, asked=asked))
        self._lexicon = Lexicon(pairs)

    def find(self, normalised: Normalised) -> list[Span]:
        """Give the places that touch a topic, by position; of two where one covers the other, the longer.

        Where a topic is named, its `near` conditions are not asked; else each gives the first place where it holds.
        """
        if "-" in normalised.text:
            normalised = replace(normalised, text=_spaced(normalised.text))  # of the same length: offsets hold for both
        hits = self._lexicon.find(normalised)
        touched = self._touched(hits)
        found: dict[str, list[Hit[_Name]]] = defaultdict(list)
        for hit in hits:
            if hit.payload.topic in touched:
                found[hit.payload.topic].append(hit)
        ruler = Ruler(normalised.text)
        spans = [span for topic, hits in found.items() for span in self._spans(ruler, topic, hits)]
        return sorted(spans, key=lambda span: (span.start, span.end, span.topic_id))

    def _touched(self, hits: Iterable[Hit[_Name]]) -> set[str]:
        """Give the topics of which a name is there, or a part of every group: a common word is a part in many."""
        topics: set[str] = set()
        groups: dict[tuple[str, int], int] = {}
        for hit in hits:
            name = hit.payload
            if name.kind == "name":
                topics.add(name.topic)
            elif name.kind == "near":
                held = groups.get(name.near, 0) | 1 << name.group
                groups[name.near] = held
                if held == self._whole[name.near]:
                    topics.add(name.topic)
        return topics

    def _spans(self, ruler: Ruler, topic: str, hits: list[Hit[_Name]]) -> list[Span]:
        denied = _outermost(_span(hit) for hit in hits if hit.payload.kind == "not")
        spans = [_span(hit) for hit in hits if hit.payload.kind == "name"]
        if named := [span for span in spans if not _covered(span, denied)]:
            return _outermost(named)
        parts: dict[tuple[str, int], list[Hit[_Name]]] = defaultdict(list)
        for hit in hits:
            if hit.payload.kind != "near":
                continue
            if not denied or not _covered(_span(hit), denied):
                parts[hit.payload.near].append(hit)
        for (_, index), items in parts.items():
            together = _together(ruler, topic, self._near[topic][index], items)
            named += islice((span for span in together if not _covered(span, denied)), 1)
        return _outermost(named)


def _span(hit: Hit[_Name]) -> Span:
    return Span(hit.payload.topic, hit.payload.listed, hit.start, hit.end)


def _spaced(text: str) -> str:
    return text.replace("-", " ")


def _names(topic: Topic, *, asked: bool) -> Iterator[_Name]:
    for phrase in (*topic.match.terms, *topic.match.euphemisms, *(topic.match.asked if asked else ())):
        yield _Name(topic.id, "name", phrase.text)
    for phrase in topic.match.not_:
        yield _Name(topic.id, "not", phrase.text)
    if not asked:
        return
    for index, near in enumerate(topic.match.near):
        for group, wordings in enumerate(near.groups):
            for wording in wordings:
                yield _Name(topic.id, "near", wording, (topic.id, index), group)


def _together(ruler: Ruler, topic: str, near: Near, hits: Iterable[Hit[_Name]]) -> Iterator[Span]:
    """Give the shortest stretches that hold one wording of each group with at most `near.within` units in them."""
    last: dict[int, Hit[_Name]] = {}
    for hit in hits:
        group = hit.payload.group
        if near.ordered and group and not _follows(ruler.text, last.get(group - 1), hit):
            continue
        last[group] = hit
        if len(last) == len(near.groups):
            start = min(each.start for each in last.values())
            if ruler.within(start, hit.end, near.within):
                yield Span(topic, " + ".join(last[group].payload.listed for group in sorted(last)), start, hit.end)


def _follows(text: str, before: Hit[_Name] | None, hit: Hit[_Name]) -> bool:
    """Tell whether a part stands after the one before it, in the same sentence."""
    return before is not None and before.end <= hit.start and one_sentence(text, before.end, hit.start)


def _covered(span: Span, outermost: list[Span]) -> bool:
    index = bisect_right(outermost, span.start, key=lambda each: each.start) - 1
    return index >= 0 and span.end <= outermost[index].end


def _outermost(spans: Iterable[Span]) -> list[Span]:
    """Leave out every span that lies within another; starts and ends then both rise."""
    kept: list[Span] = []
    for span in sorted(spans, key=lambda span: (span.start, -span.end)):
        if not kept or span.end > kept[-1].end:
            kept.append(span)
    return kept
