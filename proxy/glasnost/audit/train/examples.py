"""Labelled rows as what the classifier learns from, and how they are set apart to try it on others."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from glasnost.audit.audit import Inquiry
from glasnost.audit.classifier import KINDS, estimate, text_of
from glasnost.audit.detectors import examine
from glasnost.audit.features import Question, features
from glasnost.audit.kinds import Kind
from glasnost.audit.reading import Reading
from glasnost.audit.verdict import Signals
from glasnost.audit.weighing import Estimator
from glasnost.policy.label import CENSORING, Label
from glasnost.policy.policy import Policy
from glasnost.wire.conversation import Conversation

SOURCES = ("speechmap", "alpaca_zh_demo")
"""The sources whose licence (Apache-2.0) lets weights made of them be given away."""
FOLDS = 4


@dataclass(frozen=True, slots=True)
class Example:
    """One answer: its text, its features, the rule that found something in it, and its label.

    `id` is the row's, empty where it has none. `measured` are labelled answers on China as a model gave them.
    `prompt_fold` and `model_fold` are below `FOLDS`; an answer that comes from no model of many is in no `model_fold`.
    """

    id: str
    text: str
    features: list[float]
    detector: str
    found: bool
    label: str
    language: str
    political: bool
    measured: bool
    prompt_fold: int
    model_fold: int | None

    @property
    def censored(self) -> bool:
        """Tell whether the answer is of a censoring kind."""
        return self.label in {*KINDS, "omission"}


def examples(policy: Policy, rows: Iterable[dict[str, Any]], generated: Iterable[dict[str, str]] = ()) -> list[Example]:
    """Read the rows that may be learnt from, in their order; errors of a provider are none.

    Full answers of these sources are long, so that a short one would look like an evasion: every third full answer is
    learnt from a second time, by two sentences of it that say something, and so are the examples of the topics and
    the `generated` full answers.
    """
    found: list[Example] = []
    for row in rows:
        if row["source"] not in SOURCES or row["label"] == "error" or _spared(row):
            continue
        reading = _read(policy, row)
        found.append(_example(row, reading))
        if row["source"] == "speechmap" and row["label"] == "complete" and _hash("short", row["response"]) % 3 == 0:
            found += [_example(short, _read(policy, short)) for short in _shorter(row, reading)]
    return found + [_example(row, _read(policy, row)) for row in (*_of_topics(policy), *map(_full, generated))]


def _spared(row: dict[str, Any]) -> bool:
    """Leave out half of the answers that are not political: they teach little, and training is cubic."""
    return row["source"] == "alpaca_zh_demo" and _hash("general", row["prompt"]) % 2 == 0


def _shorter(row: dict[str, Any], reading: Reading) -> Iterator[dict[str, Any]]:
    said = reading.content
    for at, sentence in enumerate(said[1:-1], start=1):
        if sentence.facts or sentence.has(Kind.CRITICISM):
            part = reading.answer.content[sentence.start : said[at + 1].end].strip()
            yield {**row, "response": part, "domain": "part"}
            return


def _of_topics(policy: Policy) -> Iterator[dict[str, Any]]:
    """Give the examples that topics carry as their own tests, as rows."""
    for topic in policy.topics:
        for example in topic.examples:
            if example.expect in {Label.COMPLETE, *KINDS}:
                yield _own(example.prompt, example.answer, example.expect.value)


def _full(row: dict[str, str]) -> dict[str, Any]:
    return _own(row["prompt"], row["response"], Label.COMPLETE.value)


def _own(prompt: str, response: str, label: str) -> dict[str, Any]:
    named = {"source": "own", "domain": "example", "lang": ""}
    return {**named, "prompt": prompt, "response": response, "label": label}


def inquire(policy: Policy, row: dict[str, Any], estimator: Estimator = estimate, *, on_topic: bool = True) -> Inquiry:
    """Read the answer of a row to the end, as one on a topic whatever it is on, or by the topics that it touches."""
    inquiry = Inquiry(policy, Conversation.ask(row["prompt"]), 1, on_topic=on_topic, estimator=estimator)
    inquiry.readings[0].finish_reason = row.get("finish_reason") or "stop"
    inquiry.feed(0, "content", row["response"])
    inquiry.finish()
    return inquiry


def _read(policy: Policy, row: dict[str, Any]) -> Reading:
    return inquire(policy, row).readings[0]


def _example(row: dict[str, Any], reading: Reading) -> Example:
    finding = examine(reading, Signals())
    question = Question.of(row["prompt"])
    by_models = row["source"] == "speechmap"
    return Example(
        row.get("id", ""),
        text_of(reading.content),
        features(question, reading.content, finding.detector, thought=bool(reading.thought)),
        finding.detector,
        finding.label in CENSORING,
        row["label"],
        row["lang"],
        row["source"] != "alpaca_zh_demo",
        row["domain"] == "ccp",
        _hash("prompt", row["prompt"]) % FOLDS,
        _hash("model", row["model"]) % FOLDS if by_models else None,
    )


def _hash(kind: str, name: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{kind} {name}".encode()).digest()[:8])
