"""How an upstream stands beside others of its model, without I/O: what it has to do, how it did, since when it is back.

Rules kept here:
- the least busy is the one with the fewest requests in flight for its weight; of equals, the one asked longest ago;
- one that came back is asked for a share of what it would usually be, and counts as of so much less weight; the share
  grows from a tenth to the whole;
- one that said that it is busy comes after the others until the time that it named is over;
- an outlier is one of which a share of the latest requests failed, and at least twice the share of the others.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

FIRST_SHARE = 0.1
#: How many more requests in flight, for its weight, the upstream may have that still holds the prompt.
AFFINITY = 4
WINDOW = 10.0


@dataclass(slots=True)
class Recent:
    """Requests and failures of the last ten to twenty seconds."""

    _period: float = field(init=False, default=0.0)
    _now: tuple[int, int] = field(init=False, default=(0, 0))
    _before: tuple[int, int] = field(init=False, default=(0, 0))

    def count(self, now: float, *, failed: bool) -> None:
        """Count one that is over."""
        self._turn(now)
        self._now = (self._now[0] + 1, self._now[1] + failed)

    def sums(self, now: float) -> tuple[int, int]:
        """Give how many there were, and how many of them failed."""
        self._turn(now)
        return self._now[0] + self._before[0], self._now[1] + self._before[1]

    def clear(self) -> None:
        """Forget them."""
        self._now = self._before = (0, 0)

    def _turn(self, now: float) -> None:
        periods = now // WINDOW - self._period
        if periods:
            self._before = self._now if periods == 1 else (0, 0)
            self._period, self._now = now // WINDOW, (0, 0)


@dataclass(slots=True)
class Standing:
    """One upstream; `now` is always in seconds of a monotonic clock, `slow_start` how long its share grows."""

    weight: float = 1.0
    slow_start: float = 0.0
    in_flight: int = field(init=False, default=0)
    recent: Recent = field(init=False, default_factory=Recent)
    _asked: int = field(init=False, default=0)  # the place of its last request among all
    _back: float | None = field(init=False, default=None)
    _credit: float = field(init=False, default=0.0)
    _busy_until: float | None = field(init=False, default=None)

    def enter(self, place: int) -> None:
        """Hear that it is asked; `place` counts all requests."""
        self.in_flight += 1
        self._asked = place
        self._credit = max(0.0, self._credit - 1)

    def leave(self) -> None:
        """Hear that a request is over, however it ended."""
        self.in_flight = max(0, self.in_flight - 1)

    def came_back(self, now: float) -> None:
        """Hear that it answers again after it was left alone."""
        self._back, self._credit = now, 0.0

    def said_busy(self, until: float) -> None:
        """Hear that it wants to be left alone until then."""
        self._busy_until = until

    def accrue(self, now: float, weights: float) -> None:
        """Hear that one of its model was chosen, all of which have these weights together."""
        if self.warming(now):
            self._credit = min(2.0, self._credit + self.share(now) * self.weight / weights)

    def share(self, now: float) -> float:
        """Give the share of its usual work that it gets, from 0.1 to 1."""
        if self._back is None or self.slow_start <= 0:
            return 1.0
        return min(1.0, max(FIRST_SHARE, (now - self._back) / self.slow_start))

    def warming(self, now: float) -> bool:
        """Say whether its share still grows."""
        return self.share(now) < 1

    def partakes(self, now: float) -> bool:
        """Say whether it takes part in the next choice."""
        return not self.warming(now) or self._credit >= 1

    def busy(self, now: float) -> bool:
        """Say whether it said so, and the time is not over."""
        return self._busy_until is not None and now < self._busy_until

    def load(self, now: float) -> float:
        """Give the requests in flight for its weight."""
        return self.in_flight / (self.weight * self.share(now))

    def rank(self, now: float) -> tuple[bool, bool, float, int]:
        """Give what the least busy has least of."""
        return self.busy(now), not self.partakes(now), self.load(now), self._asked


def least_busy(standings: Iterable[tuple[str, Standing]], now: float, kept: str | None = None) -> str | None:
    """Choose one by its name: `kept`, which still holds the prompt, unless it has much more to do."""
    ranked = sorted((each.rank(now), name) for name, each in standings)
    if not ranked:
        return None
    best, name = ranked[0]
    for (busy, _, load, _), each in ranked:
        if each == kept and busy <= best[0] and load <= best[2] + AFFINITY:
            return each
    return name


def stands_out(own: tuple[int, int], others: Iterable[tuple[int, int]], share: float, requests: int) -> bool:
    """Say whether an upstream fails much more than the others of its model; all are (requests, failures)."""
    asked, failed = own
    if asked < requests or failed < share * asked:
        return False
    sums = tuple(others)
    rest, rest_failed = sum(each[0] for each in sums), sum(each[1] for each in sums)
    return rest > 0 and failed / asked >= 2 * rest_failed / rest
