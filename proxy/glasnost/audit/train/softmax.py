"""Multinomial logistic regression with a ridge, for training: plain L-BFGS in float64, always the same to the digit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]

_MEMORY = 10
_STEPS = 500
_TOLERANCE = 1e-6


def fit(rows: Floats, labels: Whole, count: int, ridge: float) -> tuple[Floats, Floats]:
    """Give weights (`count` rows, as long as a row of `rows`) and biases for labels 0 up to `count`.

    Columns are measured in standard deviations while it is fitted, which the weights given undo; biases are not held
    down by the ridge.
    """
    mean, deviation = rows.mean(axis=0), rows.std(axis=0) + 1e-9
    scaled = (rows - mean) / deviation
    wanted = np.eye(count)[labels]
    width = rows.shape[1]

    def loss(values: Any) -> tuple[float, Any]:
        weights, bias = values[: count * width].reshape(count, width), values[count * width :]
        scores = scaled @ weights.T + bias
        scores -= scores.max(axis=1, keepdims=True)
        total = np.exp(scores).sum(axis=1, keepdims=True)
        wrong = np.exp(scores) / total - wanted
        value = float((np.log(total[:, 0]) - (scores * wanted).sum(axis=1)).sum() + ridge / 2 * (weights**2).sum())
        return value, np.concatenate([(wrong.T @ scaled + ridge * weights).ravel(), wrong.sum(axis=0)])

    found = _minimise(loss, np.zeros(count * width + count))
    weights = found[: count * width].reshape(count, width) / deviation
    return weights, found[count * width :] - weights @ mean


def _minimise(loss: Callable[[Any], tuple[float, Any]], start: Any) -> Any:
    """Follow L-BFGS with steps that are halved until they lower the loss enough (Armijo's rule)."""
    at = start
    value, slope = loss(at)
    moves: list[tuple[Any, Any]] = []
    for _ in range(_STEPS):
        if abs(slope).max() < _TOLERANCE:
            break
        direction = -_towards(slope, moves)
        descent = float(direction @ slope)
        length = 1.0 if moves else min(1.0, 1 / float(abs(slope).sum()))
        while True:
            there = at + length * direction
            new_value, new_slope = loss(there)
            if new_value <= value + 1e-4 * length * descent or length < 1e-12:
                break
            length /= 2
        move, change = there - at, new_slope - slope
        if float(move @ change) > 0:
            moves = [*moves[-_MEMORY + 1 :], (move, change)]
        at, value, slope = there, new_value, new_slope
    return at


def _towards(slope: Any, moves: list[tuple[Any, Any]]) -> Any:
    """Give what the slope is, seen through the curvature of the last moves (the two loops of L-BFGS)."""
    seen = slope.copy()
    shares = []
    for move, change in reversed(moves):
        share = float(move @ seen) / float(move @ change)
        shares.append(share)
        seen -= share * change
    if moves:
        move, change = moves[-1]
        seen *= float(move @ change) / float(change @ change)
    for (move, change), share in zip(moves, reversed(shares), strict=True):
        seen += move * (share - float(change @ seen) / float(move @ change))
    return seen
