"""The tables: entries in their chains, what was said beside them, and who writes."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, LargeBinary, MetaData, String, Table, Text, text

metadata = MetaData()

entries = Table(
    "entries",
    metadata,
    Column("chain", String(32), primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", String(16), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("exchange", String(64)),
    Column("body", Text, nullable=False),
    Column("hash", String(64), nullable=False),
)

#: As the index of notes has it, word by word: with values bound to it, SQLite would read every entry instead.
IS_NOTE = text("kind NOT IN ('opened', 'closed')")
Index("entries_exchange", entries.c.exchange)
Index("entries_at", entries.c.at)
Index("entries_notes", entries.c.kind, sqlite_where=IS_NOTE, postgresql_where=IS_NOTE)

#: Not part of the chain, so that it can be erased: the entry of the same chain and seq holds its salted hashes.
contents = Table(
    "contents",
    metadata,
    Column("chain", String(32), primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("exchange", String(64), nullable=False),
    Column("salt", LargeBinary(32), nullable=False),
    Column("content", Text),
)
Index("contents_exchange", contents.c.exchange)

#: A help to those who start a chain; nothing is proved by it.
writers = Table(
    "writers",
    metadata,
    Column("chain", String(32), primary_key=True),
    Column("writer", String(32), nullable=False),
    Column("ended", Boolean, nullable=False),
    Column("followed", Boolean, nullable=False),
)
