"""The one thread that writes: takes whatever waits, commits it as a group, and comes back by itself after a failure.

While a group is being committed, the next one gathers: the wait is that for the disk, and nothing is added to it.
After any failure a new chain is begun, since nobody can say whether what was being committed then was.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence
from typing import Protocol

import structlog
from sqlalchemy import Connection, update
from sqlalchemy.exc import SQLAlchemyError

from glasnost.errors import LedgerError
from glasnost.record.ledger import chain
from glasnost.record.ledger.entry import Entry, Head
from glasnost.record.ledger.migrate import migrate
from glasnost.record.ledger.outage import Outages
from glasnost.record.ledger.pending import Record
from glasnost.record.ledger.place import Place
from glasnost.record.ledger.presence import Presence, presence
from glasnost.record.ledger.tables import writers
from glasnost.record.ledger_metrics import LedgerMetrics

GROUP = 512
RETRY_SECONDS = 0.5
CHORE_SECONDS = 0.05
#: Where nobody asks for anything, it is tried this often whether something could be written.
HEARTBEAT_SECONDS = 5.0

_log = structlog.get_logger(__name__)


class Chore(Protocol):
    """Work that is done in small pieces between groups."""

    def due(self) -> bool:
        """Say whether there is a piece to do."""
        ...

    def step(self, connection: Connection, head: Head, at: int) -> Head:
        """Do a piece, inside the caller's transaction; give where the chain ends then."""
        ...


#: Told, in this thread, which items are kept for good, or never will be.
Settled = Callable[[Sequence[Record], bool], None]


class Writer(threading.Thread):
    """Writes items in the order they come; `up` says whether it can now, `head` where its chain ends."""

    def __init__(  # noqa: PLR0913, PLR0917 - the ledger hands over every part by name
        self,
        place: Place,
        settled: Settled,
        outages: Outages,
        metrics: LedgerMetrics,
        chores: Sequence[Chore],
        now: Callable[[], int],
    ) -> None:
        """Take `now` as the wall clock in microseconds."""
        super().__init__(name="ledger", daemon=True)
        self._place = place
        self._engine = place.engine()
        self._settled = settled
        self._outages = outages
        self._metrics = metrics
        self._chores = chores
        self._now = now
        self._queue: queue.SimpleQueue[Record | None] = queue.SimpleQueue()
        self._unwritten: list[Record] = []
        self._stopping = False
        self._stop_by = float("inf")
        self._writer = chain.new_name()
        self._failures = 0
        self._succeeded_at = 0.0
        self._chored_at = 0.0
        self.tried = threading.Event()
        self.up = False
        self.head: Head | None = None

    @property
    def backlog(self) -> int:
        """How many items wait."""
        return self._queue.qsize() + len(self._unwritten)

    def put(self, item: Record) -> None:
        """Hand over an item; returns at once."""
        self._queue.put(item)

    def stop(self, seconds: float) -> None:
        """Ask to write what waits and to end; what cannot be written within `seconds` is given up."""
        self._stop_by = time.monotonic() + seconds
        self._queue.put(None)

    def run(self) -> None:
        """Write until asked to stop."""
        lock = presence(self._place)
        ended = False
        while not ended and time.monotonic() < self._stop_by:
            try:
                with self._engine.connect() as connection:
                    self._begin(connection, lock)
                    self._serve(connection)
                    ended = True
            except (SQLAlchemyError, LedgerError, OSError) as error:
                self._fail(error)
            except Exception as error:  # noqa: BLE001 - the thread must outlive whatever it is
                _log.exception("ledger_failed")
                self._fail(error)
            if not ended:
                time.sleep(RETRY_SECONDS)
        lock.release()
        self._settled(self._rest(), False)  # noqa: FBT003 - as the type says

    def _begin(self, connection: Connection, lock: Presence) -> None:
        with connection.begin():
            migrate(connection)
        with connection.begin(), self._outages.noting(self._now()) as gap:
            lock.hold(connection, self._writer)
            head = chain.begin(connection, self._writer, lock, self._now())
            if gap:
                entry = head.seal("gap", self._now(), gap)
                chain.add(connection, [entry])
                head = entry.head
        self.head = head
        if self._failures:
            _log.warning("ledger_is_back", failures=self._failures)
        self._failures = 0
        self._succeed()

    def _serve(self, connection: Connection) -> None:
        while not self._stopping or self._unwritten:
            if self._gather():
                self._write(connection)
            self._do_chores(connection)
        with connection.begin():
            self.head = chain.end(connection, self._current(), self._now())

    def _gather(self) -> bool:
        """Wait a while for a first item, and take all that stand behind it."""
        patience = CHORE_SECONDS if any(chore.due() for chore in self._chores) else 1.0
        try:
            while len(self._unwritten) < GROUP and not self._stopping:
                item = self._queue.get_nowait() if self._unwritten else self._queue.get(timeout=patience)
                if item is None:
                    self._stopping = True
                else:
                    self._unwritten.append(item)
        except queue.Empty:
            pass
        return bool(self._unwritten)

    def _write(self, connection: Connection) -> None:
        began = time.perf_counter()
        head, new, said = self._seal()
        with self._outages.noting(self._now()) as gap:
            if gap:
                new.append(head.seal("gap", self._now(), gap))
                head = new[-1].head
            with connection.begin() as transaction:
                if new:
                    chain.add(connection, new, said)
                written = time.perf_counter()
                transaction.commit()
        self.head = head
        sizes = [len(entry.body) for entry in new] + [len(each.text or "") for each in said]
        self._metrics.wrote(written - began, time.perf_counter() - written, len(new), sizes)
        done, self._unwritten = self._unwritten, []
        self._settled(done, True)  # noqa: FBT003 - as the type says
        self._succeed()

    def _seal(self) -> tuple[Head, list[Entry], list[chain.Said]]:
        head = self._current()
        new: list[Entry] = []
        said: list[chain.Said] = []
        odd: list[Record] = []
        for item in self._unwritten:
            try:
                entry, content = item.seal(head)
            except Exception:  # noqa: BLE001 - one that cannot be made must not keep the others from being written
                _log.exception("ledger_record_failed")
                odd.append(item)
                continue
            head = entry.head
            new.append(entry)
            if content is not None:
                said.append(content)
        if odd:
            self._unwritten = [item for item in self._unwritten if item not in odd]
            self._settled(odd, False)  # noqa: FBT003 - as the type says
        return head, new, said

    def _do_chores(self, connection: Connection) -> None:
        # Under load, groups come much faster than this.
        if time.monotonic() - self._chored_at >= CHORE_SECONDS:
            for chore in self._chores:
                if chore.due():
                    with connection.begin():
                        head = chore.step(connection, self._current(), self._now())
                    self.head = head
            self._chored_at = time.monotonic()
        if time.monotonic() - self._succeeded_at > HEARTBEAT_SECONDS:
            with connection.begin():
                mine = writers.c.chain == self._current().chain
                connection.execute(update(writers).where(mine).values(ended=False))
            self._succeed()

    def _succeed(self) -> None:
        self.up = True
        self._succeeded_at = time.monotonic()
        self._metrics.stands(self._current().seq, self._now() / 1_000_000)
        self.tried.set()

    def _fail(self, error: BaseException) -> None:
        self.up = False
        self._failures += 1
        self._metrics.fails()
        self._outages.note(self._now(), type(error).__name__)
        if self._failures == 1:
            _log.error("ledger_down", place=str(self._place), error=type(error).__name__, why=str(error).split("\n")[0])
        self.tried.set()

    def _current(self) -> Head:
        assert self.head is not None  # noqa: S101 - set when the chain is begun
        return self.head

    def _rest(self) -> list[Record]:
        rest, self._unwritten = self._unwritten, []
        while not self._queue.empty():
            item = self._queue.get()
            if item is not None:
                rest.append(item)
        return rest
