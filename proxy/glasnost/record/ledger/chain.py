"""Writing to chains: beginning one, adding to it, ending it. Every function works inside the caller's transaction."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from typing import Any

from sqlalchemy import Connection, Table, and_, exists, insert, select, update

from glasnost import __version__
from glasnost.record.ledger.entry import Entry, Head
from glasnost.record.ledger.presence import Presence
from glasnost.record.ledger.tables import contents, entries, writers

#: An exchange that was opened longer before the end of its chain than any exchange lasts was not lost with its writer.
_LONGEST_EXCHANGE = 86_400_000_000


@dataclass(frozen=True, slots=True)
class Said:
    """The content that belongs to an entry; `text` None keeps the salt alone."""

    entry: Entry
    salt: bytes
    text: str | None


def new_name() -> str:
    """Give a name for a writer or a chain."""
    return uuid.uuid4().hex


def begin(connection: Connection, writer: str, presence: Presence, at: int) -> Head:
    """Begin a chain behind all others; what writers that are gone left open is noted as such."""
    follows: dict[str, list[Any]] = {}
    lost: list[tuple[str, Head]] = []
    for chain, owner, ended in connection.execute(
        select(writers.c.chain, writers.c.writer, writers.c.ended).where(~writers.c.followed)
    ).all():
        head = head_of(connection, chain)
        follows[chain] = [head.seq, head.hash]
        over = ended or owner == writer or not presence.alive(connection, owner)
        if over:
            if not ended and owner != writer:
                lost += [(exchange, head) for exchange in unclosed(connection, head)]
            connection.execute(update(writers).where(writers.c.chain == chain).values(ended=True, followed=True))
    first = Head(new_name()).seal("genesis", at, {"writer": writer, "follows": follows, "glasnost": __version__})
    connection.execute(insert(writers).values(chain=first.chain, writer=writer, ended=False, followed=False))
    added = [first]
    for exchange, left in lost:
        facts = {"chain": left.chain, "seq": left.seq, "hash": left.hash}
        added.append(added[-1].head.seal("recovered", at, facts, exchange))
    add(connection, added)
    return added[-1].head


def add(connection: Connection, new: Sequence[Entry], said: Sequence[Said] = ()) -> None:
    """Add sealed entries, and the content that goes with them."""
    _insert(connection, entries, [astuple(entry) for entry in new])
    if said:
        rows = [(each.entry.chain, each.entry.seq, each.entry.exchange, each.salt, each.text) for each in said]
        _insert(connection, contents, rows)


def _insert(connection: Connection, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
    """Add rows in one statement: a thread that waits for the interpreter after every row would wait for long."""
    mark = "?" if connection.dialect.paramstyle == "qmark" else "%s"
    row = f"({', '.join([mark] * len(table.columns))})"
    statement = f"INSERT INTO {table.name} VALUES {', '.join([row] * len(rows))}"  # noqa: S608 - our own names and marks
    connection.exec_driver_sql(statement, tuple(value for each in rows for value in each))


def end(connection: Connection, head: Head, at: int) -> Head:
    """End a chain in good order."""
    last = head.seal("end", at, {})
    add(connection, [last])
    connection.execute(update(writers).where(writers.c.chain == head.chain).values(ended=True))
    return last.head


def head_of(connection: Connection, chain: str) -> Head:
    """Give where a chain ends."""
    query = (
        select(entries.c.seq, entries.c.hash).where(entries.c.chain == chain).order_by(entries.c.seq.desc()).limit(1)
    )
    row = connection.execute(query).first()
    return Head(chain, row.seq, row.hash) if row else Head(chain)


def unclosed(connection: Connection, head: Head) -> list[str]:
    """Give the exchanges that a chain opened and that no chain closed."""
    closing = entries.alias()
    last = select(entries.c.at).where(entries.c.chain == head.chain, entries.c.seq == head.seq).scalar_subquery()
    query = (
        select(entries.c.exchange)
        .where(
            entries.c.chain == head.chain,
            entries.c.kind == "opened",
            entries.c.at >= last - _LONGEST_EXCHANGE,
            ~exists().where(
                and_(closing.c.exchange == entries.c.exchange, closing.c.kind.in_(("closed", "recovered")))
            ),
        )
        .order_by(entries.c.seq)
    )
    return list(connection.scalars(query))
