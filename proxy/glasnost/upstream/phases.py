"""How long an upstream may take, phase by phase, measured only while somebody waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from glasnost.config import TimeoutSettings
from glasnost.errors import TimeoutPhase, UpstreamTimeout

T = TypeVar("T")

_SAID = {
    "connect": "could not be connected to within {seconds:g} s",
    "ttft": "gave no first token within {seconds:g} s",
    "idle": "said nothing for {seconds:g} s",
    "total": "did not finish within {seconds:g} s",
}


def too_slow(name: str, phase: TimeoutPhase, timeouts: TimeoutSettings) -> UpstreamTimeout:
    """Make the error for a phase that took too long."""
    limits = {
        "connect": timeouts.connect,
        "ttft": timeouts.first_token,
        "idle": timeouts.idle,
        "total": timeouts.total,
    }
    said = _SAID[phase].format(seconds=limits[phase])
    return UpstreamTimeout(f"The upstream {name!r} {said}.", phase=phase)


class PhaseClock:
    """The deadlines of one exchange: the total always runs; of first token and idle, the one whose turn it is."""

    def __init__(self, name: str, timeouts: TimeoutSettings, *, streamed: bool) -> None:
        self._name = name
        self._timeouts = timeouts
        self._loop = asyncio.get_running_loop()
        now = self._loop.time()
        self._total = now + timeouts.total
        # An answer in one piece shows no first token: servers send its headers when all of it is there.
        self._due = now + timeouts.first_token if streamed else self._total
        self._phase: TimeoutPhase = "ttft" if streamed else "total"

    def first_token(self) -> None:
        """Note that something was said: from here on, silence is measured."""
        self._phase = "idle"
        self.restart()

    def restart(self) -> None:
        """Start to measure silence anew; what the consumer took to ask for more is not the upstream's fault."""
        if self._phase == "idle":
            self._due = self._loop.time() + self._timeouts.idle

    async def wait(self, awaited: Awaitable[T]) -> T:
        """Await within the nearest deadline; past it, cancel and raise UpstreamTimeout with its phase."""
        phase, due = (self._phase, self._due) if self._due < self._total else ("total", self._total)
        scope = asyncio.timeout_at(due)
        try:
            async with scope:
                return await awaited
        except TimeoutError:
            if scope.expired():
                raise too_slow(self._name, phase, self._timeouts) from None
            raise
