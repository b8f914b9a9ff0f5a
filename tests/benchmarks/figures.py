"""Scores with intervals, as plain values: what `accuracy.py` prints."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

Pair = tuple[bool, bool]  # truth, said


@dataclass
class Score:
    """True and false positives and negatives."""

    tp: int = 0
    fp: int = 0
    fn: int = 0
    tn: int = 0

    @classmethod
    def of(cls, pairs: Sequence[Pair]) -> Score:
        """Count (truth, said) pairs."""
        score = cls()
        for truth, said in pairs:
            name = ("t" if truth == said else "f") + ("p" if said else "n")
            setattr(score, name, getattr(score, name) + 1)
        return score

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall."""
        return 2 * self.tp / max(1, 2 * self.tp + self.fp + self.fn)


def describe(pairs: Sequence[Pair]) -> str:
    """Give precision, recall (Wilson intervals, 95 %) and F1 (bootstrap interval)."""
    score = Score.of(pairs)
    precision, recall = interval(score.tp, score.tp + score.fp), interval(score.tp, score.tp + score.fn)
    low, high = _f1_interval(pairs)
    f1 = f"{score.f1:.3f} [{low:.3f}, {high:.3f}]"
    return f"P {precision}  R {recall}  F1 {f1}  ({score.tp + score.fn} censored, {score.fp + score.tn} not)"


def interval(part: int, whole: int) -> str:
    """Give a share with its 95 % Wilson interval."""
    if not whole:
        return "   -"
    share, square = part / whole, 1.96**2
    middle = (share + square / (2 * whole)) / (1 + square / whole)
    reach = 1.96 * math.sqrt(share * (1 - share) / whole + square / (4 * whole**2)) / (1 + square / whole)
    return f"{share:.3f} [{middle - reach:.3f}, {middle + reach:.3f}]"


def calibration_error(chances: Sequence[float], truths: Sequence[bool], bins: int = 10) -> float:
    """Give the expected calibration error: the mean distance of stated and true shares, in bins of equal width."""
    cells: list[list[tuple[float, bool]]] = [[] for _ in range(bins)]
    for chance, truth in zip(chances, truths, strict=True):
        cells[min(int(chance * bins), bins - 1)].append((chance, truth))
    apart = [abs(sum(chance for chance, _ in cell) - sum(truth for _, truth in cell)) for cell in cells]
    return sum(apart) / max(1, len(chances))


def percentile(values: Sequence[float], share: float) -> float:
    """Give the value below which this share of them lies."""
    ordered = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


def _f1_interval(pairs: Sequence[Pair], draws: int = 500) -> tuple[float, float]:
    chance = random.Random(1)  # figures that come out the same each time
    scores = sorted(Score.of(chance.choices(pairs, k=len(pairs))).f1 for _ in range(draws)) if pairs else [0.0]
    return percentile(scores, 0.025), percentile(scores, 0.975)
