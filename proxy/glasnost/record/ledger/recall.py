"""What the ledger knows of rungs that were tried, for a learned order that outlives a restart."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection

from glasnost.record.ledger import read
from glasnost.record.ledger.entry import facts_of
from glasnost.record.tried import Tried, tried_as_recorded

#: Exchanges that are read back; older ones say little of the models of today.
LATEST = 5_000


def recall(connection: Connection, latest: int = LATEST) -> Iterator[Tried]:
    """Give what the latest exchanges tried, the oldest first."""
    for found in read.last_ends(connection, latest):
        yield from tried_as_recorded(facts_of(found.entry.body))
