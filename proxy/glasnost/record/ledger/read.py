"""Reading the ledger, page by page, so that its size does not matter."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, and_, func, or_, select

from glasnost.record.ledger.entry import Entry
from glasnost.record.ledger.tables import IS_NOTE, contents, entries

PAGE = 1_000
_COLUMNS = (
    entries.c.chain,
    entries.c.seq,
    entries.c.kind,
    entries.c.at,
    entries.c.exchange,
    entries.c.body,
    entries.c.hash,
)
_WITH_CONTENT = select(*_COLUMNS, contents.c.salt, contents.c.content).outerjoin(
    contents, and_(contents.c.chain == entries.c.chain, contents.c.seq == entries.c.seq)
)


@dataclass(frozen=True, slots=True)
class Found:
    """An entry with what is kept beside it; `salt` is None where nothing is."""

    entry: Entry
    salt: bytes | None
    text: str | None


def chains(connection: Connection) -> Iterator[str]:
    """Give the names of all chains that have entries."""
    last = ""
    while True:
        name = connection.scalar(select(func.min(entries.c.chain)).where(entries.c.chain > last))
        if name is None:
            return
        yield name
        last = name


def entries_of(connection: Connection, chain: str) -> Iterator[Found]:
    """Give the entries of a chain in order."""
    last = 0
    query = _WITH_CONTENT.where(entries.c.chain == chain).order_by(entries.c.seq).limit(PAGE)
    while page := connection.execute(query.where(entries.c.seq > last)).all():
        yield from map(_found, page)
        last = page[-1].seq


def notes(connection: Connection) -> list[Entry]:
    """Give everything that is said of the ledger itself; these are few, so they are sorted here.

    Asked for the order, SQLite would go through all entries by their times instead of through the notes by their index.
    """
    found = [Entry(*row) for row in connection.execute(select(*_COLUMNS).where(IS_NOTE))]
    return sorted(found, key=lambda note: (note.at, note.chain, note.seq))


def exchange(connection: Connection, name: str) -> list[Found]:
    """Give every entry about one exchange, the oldest first."""
    query = _WITH_CONTENT.where(entries.c.exchange == name).order_by(entries.c.at, entries.c.chain, entries.c.seq)
    return [_found(row) for row in connection.execute(query)]


def ends(connection: Connection, since: int = 0) -> Iterator[Found]:
    """Give the ends of exchanges from `since` on, in microseconds, the oldest first."""
    order = (entries.c.at, entries.c.chain, entries.c.seq)
    query = _ends().where(entries.c.at >= since).order_by(*order).limit(PAGE)
    page = connection.execute(query).all()
    while page:
        yield from map(_found, page)
        at, chain, seq = page[-1].at, page[-1].chain, page[-1].seq
        later = or_(
            entries.c.at > at,
            and_(entries.c.at == at, entries.c.chain > chain),
            and_(entries.c.at == at, entries.c.chain == chain, entries.c.seq > seq),
        )
        page = connection.execute(query.where(later)).all()


def last_ends(connection: Connection, count: int) -> list[Found]:
    """Give the latest ends of exchanges, the oldest of them first."""
    query = _ends().order_by(entries.c.at.desc(), entries.c.chain.desc(), entries.c.seq.desc()).limit(count)
    return [_found(row) for row in reversed(connection.execute(query).all())]


def _ends() -> Select[Any]:
    return _WITH_CONTENT.where(entries.c.kind == "closed")


def _found(row: Any) -> Found:
    *entry, salt, text = row
    return Found(Entry(*entry), bytes(salt) if salt is not None else None, text)
