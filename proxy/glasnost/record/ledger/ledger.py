"""The ledger as a recorder: hands exchanges to the writer, and lets nothing leave that is not recorded.

| `on_failure` | while nothing can be written |
|---|---|
| `closed` | new exchanges are refused at once; those that go on wait `timeout_seconds` for their end to be kept |
| `open`   | exchanges go on; they are recorded afterwards, those that the backlog cannot hold only by their number |
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Literal, Protocol

from glasnost.config import LedgerSettings
from glasnost.errors import AuditUnavailable
from glasnost.record.exchange import Done, Exchange
from glasnost.record.ledger.describe import Identity
from glasnost.record.ledger.entry import Head
from glasnost.record.ledger.outage import Outages
from glasnost.record.ledger.pending import Maker, Record
from glasnost.record.ledger.place import Place
from glasnost.record.ledger.writer import Chore, Writer
from glasnost.record.ledger_metrics import LedgerMetrics
from glasnost.record.redactor import Redactor

_DONE = Done()


class Watch(Protocol):
    """Somebody who looks at the end of the chain from time to time."""

    def watch(self, head: Callable[[], Head | None]) -> None:
        """Begin to look."""
        ...

    def finish(self) -> None:
        """Look a last time; may block."""
        ...


def wall_clock() -> int:
    """Give the time in microseconds since 1970."""
    return time.time_ns() // 1_000


class Ledger:
    """Keeps exchanges; `start` it before the first."""

    def __init__(  # noqa: PLR0913, PLR0917 - the composition root hands over every part by name
        self,
        place: Place,
        settings: LedgerSettings,
        redactor: Redactor,
        identity: Identity,
        metrics: LedgerMetrics,
        chores: Sequence[Chore] = (),
        *,
        notary: Watch | None = None,
        now: Callable[[], int] = wall_clock,
    ) -> None:
        """Take `now` as the wall clock in microseconds; `notary` watches the chain while it grows."""
        self._settings = settings
        self._maker = Maker(settings.content, redactor, identity)
        self._metrics = metrics
        self._now = now
        self._notary = notary
        self._outages = Outages()
        self._stalled = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._writer = Writer(place, self._settled, self._outages, metrics, chores, now)

    @property
    def healthy(self) -> bool:
        """Say whether what is handed over now would be kept."""
        return self._writer.up and not self._stalled

    async def start(self) -> None:
        """Begin a chain; returns when that was done, or has failed once."""
        self._loop = asyncio.get_running_loop()
        self._writer.start()
        await asyncio.to_thread(self._writer.tried.wait, self._settings.timeout_seconds)
        if self._notary is not None:
            self._notary.watch(lambda: self._writer.head)

    async def aclose(self) -> None:
        """Write what waits, and end the chain."""
        if self._writer.is_alive():
            self._writer.stop(self._settings.timeout_seconds)
            await asyncio.to_thread(self._writer.join)
            if self._notary is not None:
                await asyncio.to_thread(self._notary.finish)

    def opened(self, exchange: Exchange) -> Awaitable[None]:
        """Hand over the beginning of an exchange; raises AuditUnavailable where it could not be kept."""
        if self.healthy:
            return self._hand_over("opened", exchange)
        if self._settings.on_failure == "open":
            return _DONE
        raise self._refuse()

    def closed(self, exchange: Exchange) -> Awaitable[None]:
        """Hand over the end of an exchange."""
        return self._hand_over("closed", exchange)

    def _hand_over(self, kind: Literal["opened", "closed"], exchange: Exchange) -> Awaitable[None]:
        opening = self._settings.on_failure == "open"
        backlog = self._writer.backlog
        self._metrics.waits(backlog)
        if backlog >= self._settings.max_backlog:
            if not opening:
                raise self._refuse()
            self._outages.note(self._now(), "backlog", unrecorded=kind == "closed")
            self._metrics.lost()
            return _DONE
        record = Record(kind, exchange, self._now(), self._maker)
        if opening and not self.healthy:
            self._writer.put(record)
            return _DONE
        loop = asyncio.get_running_loop()
        record.waiting = loop.create_future()
        record.waiting.add_done_callback(_seen)
        record.timer = loop.call_later(self._settings.timeout_seconds, self._expire, record)
        self._writer.put(record)
        return record.waiting

    def _refuse(self) -> AuditUnavailable:
        self._outages.note(self._now(), "unavailable", refused=1)
        self._metrics.lost()
        return _unavailable()

    def _expire(self, record: Record) -> None:
        """Let a record's exchange wait no longer: the writer is stuck, or cannot come back."""
        self._stalled = True
        self._metrics.fails()
        waiting, record.waiting = record.waiting, None
        if waiting is None or waiting.done():
            return
        record.late = record.kind == "closed"
        if self._settings.on_failure == "open":
            waiting.set_result(None)
            return
        self._outages.note(self._now(), "timeout", refused=record.kind == "opened", late=record.late)
        self._metrics.lost()
        waiting.set_exception(_unavailable())

    def _settled(self, items: Sequence[Record], kept: bool) -> None:  # noqa: FBT001 - called by the writer alone
        loop = self._loop
        if items and loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._tell, items, kept)

    def _tell(self, items: Sequence[Record], kept: bool) -> None:  # noqa: FBT001 - the same
        self._stalled = self._stalled and not kept
        for record in items:
            if record.timer is not None:
                record.timer.cancel()
            if record.waiting is None or record.waiting.done():
                continue
            if kept or self._settings.on_failure == "open":
                record.waiting.set_result(None)
            else:
                self._metrics.lost()
                record.waiting.set_exception(_unavailable())


def _seen(waiting: asyncio.Future[None]) -> None:
    """Look at a failure, which asyncio would report where nobody waited for it: a client that left does not."""
    if not waiting.cancelled():
        waiting.exception()


def _unavailable() -> AuditUnavailable:
    return AuditUnavailable("This exchange cannot be recorded now, so it does not take place.", retry_after=1)
