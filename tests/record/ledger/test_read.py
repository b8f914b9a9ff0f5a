"""What is read of a ledger's tables does not read all of them."""

from __future__ import annotations

from sqlalchemy import create_engine, event

from glasnost.record.ledger import read
from glasnost.record.ledger.tables import metadata


def test_notes_are_found_by_their_index_however_many_entries_there_are():
    engine = create_engine("sqlite://")
    metadata.create_all(engine)
    plans = []

    @event.listens_for(engine, "before_cursor_execute")
    def explain(_connection, cursor, statement, parameters, *_):
        plans.extend(cursor.connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters).fetchall())

    with engine.connect() as connection:
        assert read.notes(connection) == []
    assert ["entries_notes" in plan[-1] for plan in plans] == [True]
