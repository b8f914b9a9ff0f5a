"""The trained classifier: a question and its answer in, the probability that the answer is of a censoring kind out.

A linear model over runs of characters and `features`, calibrated with what the rules found beside it; which label an
answer of a censoring kind has is a second linear model over the features alone. How it was made and how good it is:
`docs/classifier.md`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from glasnost.audit.features import Question, features
from glasnost.audit.marks import MarkedSentence
from glasnost.audit.ngrams import score, weights
from glasnost.policy.label import Label

KINDS = (Label.REFUSAL, Label.EVASION, Label.PROPAGANDA)
RULES = ("opening", "party_line", "deflection")
"""The rules whose finding the calibration takes into account, in the order of its weights."""
PACKS = frozenset({"prc"})
"""The packs on whose topics it was trained; on those of others nobody has measured it, and it is not asked."""
CLIP = 4.0
"""Standard deviations beyond which a feature counts no further."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """The probability that an answer is of a censoring kind, and which kind it then most likely is."""

    censored: float
    kind: Label


def estimate(
    question: Question, said: Sequence[MarkedSentence], detector: str, *, found: bool, thought: bool = False
) -> Estimate:
    """Judge the content `said` of an answer in which the rule `detector` `found` a censoring kind, or did not."""
    model = _model()
    values = model.standard(features(question, said, detector, thought=thought))
    raw = score(text_of(said)) + _product(model.dense, values) + model.bias
    rules = [found and detector == name for name in RULES]
    log_odds = model.slope * raw + model.offset + _product(model.rules, rules)
    kinds = [_product(row, values) + bias for row, bias in zip(model.kinds, model.kinds_bias, strict=True)]
    return Estimate(_sigmoid(log_odds), KINDS[kinds.index(max(kinds))])


def strongest(said: Sequence[MarkedSentence]) -> list[MarkedSentence]:
    """Give the sentences, at most two, whose characters speak most for a censoring kind, in their order."""
    weighed = sorted(((score(each.seen), -each.start, each) for each in said), key=lambda one: one[:2], reverse=True)
    return sorted((each for _, _, each in weighed[:2]), key=lambda each: each.start)


def text_of(said: Sequence[MarkedSentence]) -> str:
    """Give the normal form of an answer, however it was split, with single spaces."""
    return " ".join(" ".join(sentence.seen for sentence in said).split())


@dataclass(frozen=True, slots=True)
class _Model:
    """The weights beside those of the runs, as plain numbers: for so few, numpy would cost more than it saves."""

    mean: list[float]
    deviation: list[float]
    dense: list[float]
    bias: float
    kinds: list[list[float]]
    kinds_bias: list[float]
    slope: float
    offset: float
    rules: list[float]

    def standard(self, values: Sequence[float]) -> list[float]:
        """Measure features in standard deviations from their mean, within bounds."""
        return [
            min(max((value - mean) / deviation, -CLIP), CLIP)
            for value, mean, deviation in zip(values, self.mean, self.deviation, strict=True)
        ]


@cache
def _model() -> _Model:
    stored = weights()
    slope, offset, *rules = stored["calibration"].tolist()
    return _Model(
        stored["mean"].tolist(),
        stored["deviation"].tolist(),
        stored["dense"].tolist(),
        float(stored["bias"]),
        stored["kinds"].tolist(),
        stored["kinds_bias"].tolist(),
        slope,
        offset,
        rules,
    )


def _product(row: Sequence[float], values: Sequence[float]) -> float:
    return sum(map(float.__mul__, row, map(float, values)))


def _sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-value)) if value > -700 else 0.0
