"""From examples to weights: two models, one that sees what the question asks for and one that does not, averaged.

Only prompts of political tests ask for criticism here, so a model that sees it takes a plain question for a harmless
one; the model that does not see it keeps the other's head.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from glasnost.audit.classifier import CLIP, KINDS, RULES
from glasnost.audit.features import PAIRED
from glasnost.audit.ngrams import BITS, buckets
from glasnost.audit.train.examples import FOLDS, Example
from glasnost.audit.train.solve import sigmoid, solve_kernel, solve_linear
from glasnost.policy.label import Label

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

LOSS = 10.0  # of the log loss against the squared norm
FEATURES = 0.4  # of the features' share against that of the runs of characters, whose vectors have length one
GENERAL = 0.4  # of an example that is not political
RARE = 3  # examples that a run of characters must stand in
KIND_PENALTY = 20.0
_COMMON = 150  # examples from which on a run is common
_PAIRS = 5_000_000  # that are multiplied at once


@dataclass(frozen=True, slots=True)
class Runs:
    """The vectors of all examples' runs of characters as (example, bucket, value), and the rarity of each bucket."""

    example: NDArray[np.int64]
    bucket: NDArray[np.int64]
    value: Numbers
    rarity: Numbers


@dataclass(frozen=True, slots=True)
class Fit:
    """Coefficients and bias of the two models, by example."""

    blind: Numbers
    seeing: Numbers
    bias: float


class Trainer:
    """Examples, and everything that is computed of them once."""

    def __init__(self, examples: Sequence[Example]) -> None:
        self.examples = examples
        self.truth = np.array([float(each.censored) for each in examples])
        self.weight = LOSS * np.array([1.0 if each.political else GENERAL for each in examples])
        self.runs = read_runs([each.text for each in examples])
        table = np.array([each.features for each in examples])
        self.mean = table.mean(axis=0)
        self.deviation = table.std(axis=0)
        self.deviation[self.deviation < 2e-3] = np.inf  # says nothing
        self.table = np.clip((table - self.mean) / self.deviation, -CLIP, CLIP)
        self.seen = table.shape[1] - PAIRED
        grams = gram_matrix(self.runs, len(examples))
        blind = self.table[:, : self.seen]
        self._blind = grams + FEATURES * (blind @ blind.T) / self.seen
        self._seeing = grams + FEATURES * (self.table @ self.table.T) / table.shape[1]

    def fit(self, chosen: NDArray[np.int64]) -> Fit:
        """Learn from the chosen examples, both classes with the same weight."""
        truth, weight = self.truth[chosen], self.weight[chosen].copy()
        whole = weight.sum()
        for side in (0.0, 1.0):
            weight[truth == side] *= whole / 2 / weight[truth == side].sum()
        among = np.ix_(chosen, chosen)
        blind, blind_bias = solve_kernel(self._blind[among], truth, weight)
        seeing, seeing_bias = solve_kernel(self._seeing[among], truth, weight)
        return Fit(blind, seeing, (blind_bias + seeing_bias) / 2)

    def log_odds(self, fit: Fit, chosen: NDArray[np.int64], asked: NDArray[np.int64]) -> Numbers:
        """Judge the asked examples by what was learnt from the chosen ones."""
        among = np.ix_(asked, chosen)
        both: Numbers = (self._blind[among] @ fit.blind + self._seeing[among] @ fit.seeing) / 2 + fit.bias
        return both

    def apart(self) -> Numbers:
        """Judge every example by what was learnt from others: other prompts, and other models too."""
        found = np.full(len(self.examples), np.nan)
        for chosen, asked in self._folds():
            found[asked] = self.log_odds(self.fit(chosen), chosen, asked)
        return found

    def kinds_apart(self) -> list[Label]:
        """Give the kind that every example has if it is of a censoring one, learnt from the others as in `apart`."""
        found = np.zeros(len(self.examples), dtype=np.int64)
        for chosen, asked in self._folds():
            kinds, bias = self._kinds(chosen)
            found[asked] = np.argmax(self.table[asked] @ kinds.T + bias, axis=1)
        return [KINDS[at] for at in found]

    def _folds(self) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        prompts = np.array([each.prompt_fold for each in self.examples])
        models = np.array([-1 if each.model_fold is None else each.model_fold for each in self.examples])
        for prompt, model in product(range(FOLDS), range(FOLDS)):
            asked = (prompts == prompt) & ((models == model) | ((models == -1) & (model == 0)))
            if asked.any():
                yield np.flatnonzero((prompts != prompt) & (models != model)), np.flatnonzero(asked)

    def weights(self, calibration: Numbers) -> dict[str, Any]:
        """Learn from all examples and give the arrays that ship.

        In single precision: how many threads a product was computed in shows in the last digits of a double.
        """
        everything = np.arange(len(self.examples))
        fit = self.fit(everything)
        runs = self.runs
        mixed = (fit.blind + fit.seeing) / 2
        grams: Any = np.bincount(runs.bucket, runs.value * mixed[runs.example], minlength=1 << BITS)
        width = self.table.shape[1]
        dense = FEATURES * (self.table.T @ fit.seeing) / width / 2
        dense[: self.seen] += FEATURES * (self.table[:, : self.seen].T @ fit.blind) / self.seen / 2
        kinds, kinds_bias = self._kinds(everything)
        deviation = np.where(np.isinf(self.deviation), 1e9, self.deviation)
        told = {
            "mean": self.mean,
            "deviation": deviation,
            "dense": dense,
            "bias": np.array(fit.bias),
            "kinds": kinds,
            "kinds_bias": kinds_bias,
            "calibration": calibration,
        }
        single = {name: values.astype(np.float32) for name, values in told.items()}
        return {**_small("grams", grams), **_small("rarity", runs.rarity), **single}

    def calibration(self, log_odds: Numbers) -> Numbers:
        """Fit slope, offset and the weight of each rule's finding on China answers judged by `apart`."""
        measured = np.array([each.measured for each in self.examples])
        inputs = np.hstack([log_odds[:, None], self._rules()])[measured]
        found, offset = solve_linear(inputs, self.truth[measured], np.ones(int(measured.sum())), 1.0)
        return np.array([found[0], offset, *found[1:]])

    def chances(self, log_odds: Numbers, calibration: Numbers) -> Numbers:
        """Turn log odds into calibrated probabilities."""
        return sigmoid(calibration[0] * log_odds + calibration[1] + self._rules() @ calibration[2:])

    def _rules(self) -> Numbers:
        return np.array([[float(each.found and each.detector == rule) for rule in RULES] for each in self.examples])

    def _kinds(self, chosen: NDArray[np.int64]) -> tuple[Numbers, Numbers]:
        censored = np.array([at for at in chosen if self.examples[at].label in KINDS])
        labels = np.array([self.examples[at].label for at in censored])
        solved = [
            solve_linear(self.table[censored], (labels == kind).astype(float), np.ones(len(labels)), KIND_PENALTY)
            for kind in KINDS
        ]
        return np.array([row for row, _ in solved]), np.array([bias for _, bias in solved])


def read_runs(texts: Sequence[str]) -> Runs:
    """Hash the texts into vectors of length one; what stands in fewer than `RARE` of them counts nothing."""
    found = [buckets(text) for text in texts]
    example = np.repeat(np.arange(len(texts)), [len(at) for at, _ in found])
    bucket = np.concatenate([at for at, _ in found]).astype(np.int64)
    held = np.bincount(bucket, minlength=1 << BITS)
    rarity = np.where(held >= RARE, np.log((1 + len(texts)) / (1 + held)) + 1, 0.0)
    value = np.concatenate([values for _, values in found]) * rarity[bucket]
    length = np.sqrt(np.bincount(example, value * value, minlength=len(texts)))
    value /= np.where(length > 0, length, 1.0)[example]
    kept = value > 0
    return Runs(example[kept], bucket[kept], value[kept], rarity)


def gram_matrix(runs: Runs, count: int) -> Numbers:
    """Give the product of every two examples' vectors.

    Runs that many examples hold are multiplied as a matrix, the many others pair by pair.
    """
    order = np.argsort(runs.bucket, kind="stable")
    _, start, held = np.unique(runs.bucket[order], return_index=True, return_counts=True)
    example, value = runs.example[order], runs.value[order]
    common = held > _COMMON
    part = np.zeros((count, int(common.sum())))
    for column, (first, many) in enumerate(zip(start[common], held[common], strict=True)):
        part[example[first : first + many], column] = value[first : first + many]
    found = part @ part.T
    for many in np.unique(held[~common]):
        at = start[held == many][:, None] + np.arange(many)
        for rows in np.array_split(at, 1 + at.size * many // _PAIRS):
            place = example[rows][:, :, None] * count + example[rows][:, None, :]
            share = value[rows][:, :, None] * value[rows][:, None, :]
            np.add.at(found.reshape(-1), place.ravel(), share.ravel())
    return found


def _small(name: str, values: Numbers) -> dict[str, Any]:
    scale = float(np.abs(values).max()) / 127
    return {name: np.round(values / scale).astype(np.int8), f"{name}_scale": np.float32(scale)}
