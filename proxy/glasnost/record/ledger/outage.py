"""What happened while nothing could be written, to be noted in the ledger when it can."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(slots=True)
class Outage:
    """Exchanges since the first failure: refused, served without a record, recorded after their client was told no."""

    since: int
    reason: str
    refused: int = 0
    unrecorded: int = 0
    late: int = 0


class Outages:
    """Counts from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._now: Outage | None = None

    def note(self, at: int, reason: str, *, refused: int = 0, unrecorded: int = 0, late: int = 0) -> None:
        """Count into the outage that goes on, or begin one."""
        with self._lock:
            now = self._now = self._now or Outage(at, reason)
            now.refused += refused
            now.unrecorded += unrecorded
            now.late += late

    @contextmanager
    def noting(self, until: int) -> Iterator[dict[str, Any] | None]:
        """Give the facts of the `gap` entry, None when there was no outage; they stay if the body raises."""
        with self._lock:
            outage, self._now = self._now, None
        try:
            yield {**asdict(outage), "until": until} if outage else None
        except BaseException:
            if outage is not None:
                self._put_back(outage)
            raise

    def _put_back(self, outage: Outage) -> None:
        with self._lock:
            later, self._now = self._now, outage
        if later is not None:
            self.note(0, "", refused=later.refused, unrecorded=later.unrecorded, late=later.late)
