"""A share of what happens lately: of so many requests in the last seconds, so many may cost more."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field


@dataclass(slots=True)
class Share:
    """`ratio` of what was counted within `window` seconds may be spent, and `least` in any case."""

    ratio: float
    least: int
    window: float = 10.0
    _seconds: deque[list[float]] = field(init=False, default_factory=deque)  # [second, counted, spent], oldest first

    def count(self, now: float) -> None:
        """Count one more."""
        self._now(now)[1] += 1

    def left(self, now: float) -> bool:
        """Say whether one more may be spent."""
        self._now(now)
        counted, spent = (sum(each[place] for each in self._seconds) for place in (1, 2))
        return spent + 1 <= max(self.least, self.ratio * counted)

    def spend(self, now: float) -> bool:
        """Spend one, unless nothing is left."""
        if not self.left(now):
            return False
        self._now(now)[2] += 1
        return True

    def _now(self, now: float) -> list[float]:
        while self._seconds and self._seconds[0][0] <= now - self.window:
            self._seconds.popleft()
        if not self._seconds or self._seconds[-1][0] != now // 1:
            self._seconds.append([now // 1, 0, 0])
        return self._seconds[-1]
