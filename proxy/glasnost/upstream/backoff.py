"""When to start an engine again after it failed: a value, without a clock of its own."""

from __future__ import annotations

from dataclasses import dataclass

FIRST_SECONDS = 0.5
LONGEST_SECONDS = 30.0
#: An engine that was up for this long failed for a new reason: counting starts over.
STEADY_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Backoff:
    """How often it failed in a row, and the moment from which it may be tried again."""

    failures: int = 0
    until: float = 0.0

    def failed(self, now: float, *, up_seconds: float = 0.0) -> Backoff:
        """Count a failure at `now`, after the engine was up for `up_seconds`; each pause is twice the last."""
        failures = 1 if up_seconds >= STEADY_SECONDS else self.failures + 1
        pause = min(LONGEST_SECONDS, FIRST_SECONDS * 2.0 ** min(failures - 1, 30))
        return Backoff(failures, now + pause)

    def remaining(self, now: float) -> float:
        """Give the seconds that are left to wait."""
        return max(0.0, self.until - now)
