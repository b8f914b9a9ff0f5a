"""How the gateway stops: it says so, goes on for a while, lets what runs end, and ends what runs too long."""

from __future__ import annotations

import asyncio
from typing import Any

from glasnost.record.exchange import ExchangeOutcome


class Drain:
    """The state of stopping. `begun` turns readiness off; `broken_off` means that what still runs is ended."""

    def __init__(self) -> None:
        self.begun = False
        self.broken_off = False
        self._running: set[asyncio.Task[Any]] = set()

    def begin(self) -> None:
        """Say that no new work should come; what comes all the same is served."""
        self.begun = True

    def break_off(self) -> None:
        """End what still runs: clients get an error, the ledger says why."""
        self.begun = self.broken_off = True
        for task in tuple(self._running):
            task.cancel()

    def watch(self, task: asyncio.Task[Any]) -> None:
        """Let `break_off` end this task, as long as it runs."""
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        if self.broken_off:
            task.cancel()

    def unfinished(self) -> ExchangeOutcome:
        """Say why an exchange is over that was cancelled."""
        return "aborted_drain" if self.broken_off else "client_disconnected"
