"""Retention: what is older than it may be is deleted from the beginnings of chains, piece by piece.

What will be gone is first noted in the chain of the one who deletes it, with the hash that the rest follows on. So the
chains can be verified before, during and after, and whether anybody was interrupted.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection, Delete, Table, delete, exists, func, select, text

from glasnost.record.ledger import chain, read
from glasnost.record.ledger.claims import Claims
from glasnost.record.ledger.entry import Entry, Head
from glasnost.record.ledger.tables import contents, entries, writers

PIECE = 80
LOOK_SECONDS = 600.0
_DAY = 86_400_000_000
_LOCK = 0x676C61736E6F7375  # one for all gateways of one database, beside that of the schema


@dataclass(slots=True)
class Plan:
    """What is to be deleted, up to which entry of which chain, and the note that says so."""

    note: Entry
    left: list[tuple[Table, str, int]]


class Pruner:
    """A chore of the writer; None keeps for ever."""

    def __init__(
        self, records_days: int | None, contents_days: int | None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._records = records_days
        self._contents = contents_days
        self._clock = clock
        self._plan: Plan | None = None
        self._look_at = clock()

    def due(self) -> bool:
        """Say whether there is something to delete, or it is time to look."""
        return (self._plan is not None) or (self._clock() >= self._look_at)

    def step(self, connection: Connection, head: Head, at: int) -> Head:
        """Look and note what is to be deleted, or delete a piece."""
        if connection.dialect.name == "postgresql" and not connection.scalar(
            text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": _LOCK}
        ):
            self._plan, self._look_at = None, self._clock() + LOOK_SECONDS / 10  # another gateway does it
            return head
        if self._plan is None:
            return self._look(connection, head, at)
        if not _is_there(connection, self._plan.note):  # the commit of the note did not come to be
            self._plan = None
            return head
        self._delete(connection, self._plan)
        return head

    def _look(self, connection: Connection, head: Head, at: int) -> Head:
        self._look_at = self._clock() + LOOK_SECONDS
        claims = Claims()
        notes = read.notes(connection)
        claims.read(notes)
        chains = list(read.chains(connection))
        gone = {name: cut for name in chains if (cut := self._cut(connection, name, at, self._records)) is not None}
        words = {name: cut.seq for name in chains if (cut := self._cut(connection, name, at, self._contents))}
        left = [(entries, name, cut.seq) for name, cut in gone.items()]
        left += [(contents, name, seq) for name, seq in words.items() if seq > claims.pruned_contents.get(name, 0)]
        if not left:
            return head
        facts = {
            "entries": {
                each.chain: [each.seq, each.hash] for each in (_still_needed(claims, notes, chains, gone)).values()
            },
            "contents": {
                **{name: claims.pruned_contents[name] for name in chains if name in claims.pruned_contents},
                **words,
            },
        }
        note = head.seal("pruned", at, facts)
        chain.add(connection, [note])
        self._plan = Plan(note, left)
        return note.head

    def _cut(self, connection: Connection, name: str, at: int, days: int | None) -> Head | None:
        """Give the last entry of a chain that is too old, None when none is."""
        if days is None:
            return None
        first, last = connection.execute(
            select(func.min(entries.c.seq), func.max(entries.c.seq)).where(entries.c.chain == name)
        ).one()
        if not connection.scalar(select(writers.c.ended).where(writers.c.chain == name)):
            last -= 1  # the end of a chain that goes on is needed by those that follow it
        return _last_before(connection, name, at - days * _DAY, first, last)

    def _delete(self, connection: Connection, plan: Plan) -> None:
        table, name, cut = plan.left[0]
        piece = select(table.c.seq).where(table.c.chain == name, table.c.seq <= cut).order_by(table.c.seq).limit(PIECE)
        upto = connection.scalar(select(func.max(piece.subquery().c.seq)))
        if upto is not None:
            for each in {contents, table}:
                connection.execute(_up_to(each, name, upto))
            return
        plan.left.pop(0)
        if table is entries and connection.scalar(select(~exists().where(entries.c.chain == name))):
            connection.execute(delete(writers).where(writers.c.chain == name))
        if not plan.left:
            self._plan = None


def _last_before(connection: Connection, name: str, moment: int, first: int, last: int) -> Head | None:
    """Search, by halves, where a chain becomes younger than `moment`: its entries stand in the order of their times."""
    found = None
    while first <= last:
        middle = (first + last) // 2
        row = connection.execute(
            select(entries.c.at, entries.c.hash).where(entries.c.chain == name, entries.c.seq == middle)
        ).first()
        if row is not None and row.at < moment:
            found, first = Head(name, middle, row.hash), middle + 1
        else:
            last = middle - 1
    return found


def _still_needed(claims: Claims, notes: list[Entry], chains: list[str], gone: dict[str, Head]) -> dict[str, Head]:
    """Give how far every chain is pruned, but for those that nothing that stays speaks of."""
    after = Claims()
    after.read(note for note in notes if note.chain not in gone or note.seq > gone[note.chain].seq)
    spoken_of = {*chains, *after.made}
    return {name: base for name, base in {**claims.pruned, **gone}.items() if name in spoken_of}


def _is_there(connection: Connection, note: Entry) -> bool:
    here = (entries.c.chain == note.chain, entries.c.seq == note.seq, entries.c.hash == note.hash)
    return bool(connection.scalar(select(exists().where(*here))))


def _up_to(table: Table, name: str, seq: int) -> Delete:
    return delete(table).where(table.c.chain == name, table.c.seq <= seq)
