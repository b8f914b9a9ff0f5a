"""How long requests waited for a slot, as a histogram that only grows."""

from __future__ import annotations

from bisect import bisect_left
from itertools import accumulate
from typing import Any

#: Upper bounds in seconds; what waited longer counts in `+Inf` alone.
BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)


class Waits:
    """Counts waits in seconds."""

    def __init__(self) -> None:
        self._counts = [0] * (len(BOUNDS) + 1)
        self._sum = 0.0

    def observe(self, seconds: float) -> None:
        """Count one wait."""
        self._counts[bisect_left(BOUNDS, seconds)] += 1
        self._sum += seconds

    def report(self) -> dict[str, Any]:
        """Give the number of waits up to each bound, as Prometheus writes bounds, and the sum of all."""
        bounds = [*(str(float(bound)) for bound in BOUNDS), "+Inf"]
        return {"buckets": dict(zip(bounds, accumulate(self._counts), strict=True)), "sum": self._sum}
