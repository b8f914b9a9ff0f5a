"""A circuit breaker, without I/O: closed while an upstream answers, open after failures in a row, then probed.

Rules kept here:
- only failures in a row count, and one answer closes the circuit;
- an open circuit lets nothing through until its time is over; then one request at a time may probe;
- a probe that fails opens it again, for twice as long each time, up to a limit;
- one that is ejected, since it fails more than its like, opens for twice as long if it did so lately, and nothing that
  was on its way closes it before its time is over;
- a request that ended without telling anything (cancelled, or the upstream was only busy) frees the probe.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

State = Literal["closed", "open", "half_open"]
STATES: tuple[State, ...] = ("closed", "open", "half_open")


@dataclass(slots=True)
class Circuit:
    """The circuit of one upstream; `now` is always in seconds of a monotonic clock."""

    failures: int
    open_seconds: float
    max_open_seconds: float
    _in_a_row: int = field(init=False, default=0)
    _until: float | None = field(init=False, default=None)
    _length: float = field(init=False, default=0.0)
    _probing: int = field(init=False, default=0)
    _ejected: bool = field(init=False, default=False)
    _ejected_last: tuple[float, float] | None = field(init=False, default=None)  # how long, and until when

    def state(self, now: float) -> State:
        """Give the state."""
        if self._until is None:
            return "closed"
        return "open" if now < self._until else "half_open"

    def admits(self, now: float) -> bool:
        """Say whether a request may go through."""
        state = self.state(now)
        return state == "closed" or (state == "half_open" and not self._probing)

    def wait(self, now: float) -> float:
        """Give the seconds until a request may go through, 0 when one may."""
        return 0.0 if self._until is None else max(0.0, self._until - now)

    def enter(self) -> None:
        """Hear that a request goes through."""
        if self._until is not None:
            self._probing += 1

    def succeeded(self, now: float) -> None:
        """Hear that the upstream answered, be it with a refusal of the request."""
        if self._ejected and self.state(now) == "open":
            return
        self._in_a_row = self._probing = 0
        self._until, self._length, self._ejected = None, 0.0, False

    def eject(self, now: float) -> None:
        """Open it although answers came between the failures."""
        lately = self._ejected_last is not None and now - self._ejected_last[1] < self.max_open_seconds
        before = self._ejected_last[0] if lately and self._ejected_last is not None else 0.0
        self._length = min(self.max_open_seconds, max(self.open_seconds, 2 * before))
        self._until = now + self._length
        self._ejected, self._ejected_last, self._probing = True, (self._length, self._until), 0

    def failed(self, now: float) -> None:
        """Hear that the upstream failed."""
        self._in_a_row += 1
        if self._until is None and self._in_a_row < self.failures:
            return
        if self._until is None or now >= self._until:  # requests that were on their way do not lengthen it
            self._length = min(self.max_open_seconds, max(self.open_seconds, 2 * self._length))
            self._until = now + self._length
        self._probing = 0

    def told_nothing(self) -> None:
        """Hear that a request ended without a sign of how the upstream is."""
        self._probing = max(0, self._probing - 1)
