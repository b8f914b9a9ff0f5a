"""The learned order of a ladder: by what its rungs have brought on this topic, in this language, and what they cost.

Trying rungs in the order of their cost divided by their chance to pass takes the least time that can be expected, where
one rung's chance does not depend on another's (Smith's rule). Chances are estimated with one success and one failure
added, so that a rung that was never tried is worth a try; its cost is then taken to be that of the others.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from statistics import median
from threading import Lock

from glasnost.pipeline.ladder import Step
from glasnost.record.tried import Place, Tried

# Old costs say little: engines are moved, and models replaced.
KEPT_COSTS = 32
SOMETHING = 1.0  # seconds, where nothing at all is known
Rung = tuple[str, str]


@dataclass(slots=True)
class Tally:
    """What one rung has brought: how often it was tried and passed, and its latest costs in seconds."""

    tries: int = 0
    passed: int = 0
    costs: deque[float] = field(default_factory=lambda: deque(maxlen=KEPT_COSTS))

    def add(self, tried: Tried) -> None:
        """Count one more."""
        self.tries += 1
        self.passed += tried.passed
        self.costs.append(tried.seconds)

    @property
    def chance(self) -> float:
        """The chance to pass."""
        return (self.passed + 1) / (self.tries + 2)

    def cost(self, otherwise: float) -> float:
        """Give the median cost, or `otherwise` where there is none."""
        return median(self.costs) if self.costs else otherwise

    def price(self, otherwise: float) -> float:
        """Give the seconds that this rung costs for each answer that passes."""
        return self.cost(otherwise) / self.chance


class Learned:
    """What was learned, by place and rung; with a chance of `explore`, any rung comes first."""

    def __init__(self, explore: float, chance: Callable[[], float]) -> None:
        """Take `chance`, which gives numbers from 0 up to, but not including, 1."""
        self._explore = explore
        self._chance = chance
        self._tallies: dict[Place, dict[Rung, Tally]] = {}
        self._lock = Lock()  # what was recorded is read in another thread

    def learn(self, tried: Iterable[Tried]) -> None:
        """Add what was tried."""
        with self._lock:
            for each in tried:
                rungs = self._tallies.setdefault(each.place, {})
                rungs.setdefault((each.rung, each.by), Tally()).add(each)

    def order(self, steps: Sequence[Step], place: Place) -> tuple[Step, ...]:
        """Give the steps with the rungs in the order that is expected to take least time; the question stays first."""
        first, *rungs = steps
        known = self._tallies.get(place, {})
        typical = _typical(known.values())
        rungs.sort(key=lambda step: known.get(step.key, Tally()).price(typical))
        if len(rungs) > 1 and self._explore and self._chance() < self._explore:
            chosen = rungs.pop(int(self._chance() * len(rungs)))
            rungs.insert(0, chosen)
        return (first, *rungs)

    def table(self) -> list[tuple[Place, Rung, Tally, float]]:
        """Give every rung of every place with its price, in the order in which they would be tried."""
        rows = [
            (place, rung, tally, tally.price(_typical(rungs.values())))
            for place, rungs in self._tallies.items()
            for rung, tally in rungs.items()
        ]
        return sorted(rows, key=lambda row: (row[0].model, row[0].topic, row[0].language, row[3]))


def _typical(tallies: Iterable[Tally]) -> float:
    costs = [cost for tally in tallies for cost in tally.costs]
    return median(costs) if costs else SOMETHING
