"""Whose turn it is among sequences that cannot share a step: llama.cpp applies adapters to a whole batch."""

from __future__ import annotations

from collections.abc import Iterable

from glasnost.engine.adapters import Adapters

# Steps of a turn. Each change of adapters makes llama.cpp lay its graphs out again, which takes milliseconds.
TURN = 4


class Turns:
    """Sets of adapters take turns of so many steps, in the order in which they came."""

    def __init__(self, steps: int = TURN) -> None:
        self._steps = steps
        self._left = steps
        self._order: list[Adapters] = []

    def next(self, ready: Iterable[Adapters]) -> Adapters:
        """Give the set whose step is next, out of those that have something to compute: at least one."""
        there = dict.fromkeys(ready)
        known = [adapters for adapters in self._order if adapters in there]
        kept = known[:1] == self._order[:1]
        self._order = [*known, *(adapters for adapters in there if adapters not in known)]
        if kept and not self._left and len(self._order) > 1:
            self._order.append(self._order.pop(0))
            kept = False
        self._left = max(0, self._left - 1) if kept else self._steps - 1
        return self._order[0]
