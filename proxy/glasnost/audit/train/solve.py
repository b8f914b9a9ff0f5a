"""Regularised logistic regression by Newton's method, in the space of examples or in that of features.

Both are convex and solved to a fixed number of exact steps in float64, so the same rows give the same weights.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

_STEPS = 7
_FLAT = 1e-9


def sigmoid(values: Numbers) -> Numbers:
    """Turn log odds into probabilities."""
    return 1 / (1 + np.exp(-np.clip(values, -500, 500)))


def solve_kernel(kernel: Numbers, truth: Numbers, weight: Numbers) -> tuple[Numbers, float]:
    """Give the coefficients of the examples, and the bias: log odds are `kernel @ coefficients + bias`.

    Minimises half of the squared norm and the weighted log loss. `truth` holds 0 and 1, `kernel` the products of
    every two examples.
    """
    count = len(truth)
    coefficients, bias = np.zeros(count), 0.0
    ones = np.ones(count)
    for _ in range(_STEPS):
        log_odds = kernel @ coefficients + bias
        chance = sigmoid(log_odds)
        curve = np.maximum(weight * chance * (1 - chance), _FLAT)
        aim = log_odds - weight * (chance - truth) / curve
        solved = np.linalg.solve(kernel + np.diag(1 / curve), np.stack([aim, ones], axis=1))
        bias = float(solved[:, 0].sum() / solved[:, 1].sum())
        coefficients = solved[:, 0] - bias * solved[:, 1]
    return coefficients, bias


def solve_linear(rows: Numbers, truth: Numbers, weight: Numbers, penalty: float) -> tuple[Numbers, float]:
    """Give a weight for each column of `rows`, and the bias, which the penalty leaves alone."""
    wide = np.hstack([rows, np.ones((len(rows), 1))])
    ridge = np.full(wide.shape[1], penalty)
    ridge[-1] = 0.0
    found = np.zeros(wide.shape[1])
    for _ in range(_STEPS):
        chance = sigmoid(wide @ found)
        curve = np.maximum(weight * chance * (1 - chance), _FLAT)
        slope = wide.T @ (weight * (chance - truth)) + ridge * found
        found = found - np.linalg.solve((wide * curve[:, None]).T @ wide + np.diag(ridge + _FLAT), slope)
    return found[:-1], float(found[-1])
