"""What came of the rungs of an exchange: the facts that a learned order of a ladder rests on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from glasnost.record.exchange import FIRST, Exchange

#: How an attempt ends that says something of its rung; one that was stopped from outside does not.
_TELLING = frozenset({"answered", "interrupted", "failed"})


@dataclass(frozen=True, slots=True)
class Place:
    """Where a rung was tried: the model that was asked, the first topic that was touched, the question's language."""

    model: str
    topic: str
    language: str


@dataclass(frozen=True, slots=True)
class Tried:
    """One rung that was tried: its name, the model that answered, whether that passed, and how long it took."""

    place: Place
    rung: str
    by: str
    passed: bool
    seconds: float


def tried_in(exchange: Exchange) -> Iterator[Tried]:
    """Give the rungs that an exchange tried."""
    place = Place(exchange.model, exchange.topics[0] if exchange.topics else "", exchange.language)
    for attempt in exchange.attempts:
        if attempt.rung != FIRST and attempt.purpose == "answer" and attempt.outcome in _TELLING:
            passed = attempt.verdict is not None and not attempt.verdict.censored
            yield Tried(place, attempt.rung, attempt.model, passed, attempt.seconds)


def tried_as_recorded(facts: Mapping[str, Any]) -> Iterator[Tried]:
    """Give the same out of what the ledger holds of an exchange."""
    topics = facts.get("topics") or [""]
    place = Place(facts["model"], topics[0], facts.get("language", ""))
    for attempt in facts.get("attempts", ()):
        answer = attempt.get("purpose", "answer") == "answer"
        if attempt["rung"] != FIRST and answer and attempt["outcome"] in _TELLING:
            verdict = attempt["verdict"]
            passed = verdict is not None and not verdict["censored"]
            yield Tried(place, attempt["rung"], attempt["model"], passed, (attempt["microseconds"] or 0) / 1e6)
