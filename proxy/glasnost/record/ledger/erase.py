"""Erasing what was said in one exchange, on request: the chain stays whole, and says that it was done."""

from __future__ import annotations

from sqlalchemy import delete, select

from glasnost.errors import LedgerError
from glasnost.record.ledger import chain
from glasnost.record.ledger.place import Place
from glasnost.record.ledger.presence import presence
from glasnost.record.ledger.tables import contents


def erase(place: Place, exchange: str, reason: str, at: int) -> int:
    """Erase the contents of an exchange with their salts, and note it in a chain of its own; give how many they were.

    Raises LedgerError where there is nothing to erase.
    """
    lock = presence(place)
    with place.engine().connect() as connection:
        try:
            with connection.begin():
                found = connection.scalars(select(contents.c.seq).where(contents.c.exchange == exchange)).all()
                if not found:
                    raise LedgerError(f"There is no content of an exchange {exchange}.")
                connection.execute(delete(contents).where(contents.c.exchange == exchange))
                writer = chain.new_name()
                lock.hold(connection, writer)
                head = chain.begin(connection, writer, lock, at)
                note = head.seal("erased", at, {"contents": len(found), "reason": reason}, exchange)
                chain.add(connection, [note])
                chain.end(connection, note.head, at)
        finally:
            lock.release()
        if place.file is not None:
            # Otherwise the log would keep the page as it was for a while.
            connection.connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return len(found)
