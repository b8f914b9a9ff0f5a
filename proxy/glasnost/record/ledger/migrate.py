"""Bringing a database to the schema of this version, under a lock of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text

from glasnost.errors import LedgerError

_MIGRATIONS = Path(__file__).parent / "migrations"
_LOCK = 0x676C61736E6F7374  # one number for all gateways of one database; any that nobody else uses


def migrate(connection: Connection) -> None:
    """Run, in the connection's transaction, every version that the database has not seen.

    Raises LedgerError for a database that a newer Glasnost has written.
    """
    # Imported here: only the start of a writer needs Alembic, and it takes long to load.
    from alembic.config import Config  # noqa: PLC0415
    from alembic.runtime.environment import EnvironmentContext  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415
    from alembic.util import CommandError  # noqa: PLC0415

    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    script = ScriptDirectory(str(_MIGRATIONS), version_locations=[str(_MIGRATIONS)])

    def upgrade(revision: Any, _: Any) -> Any:
        return script._upgrade_revs("head", revision)  # noqa: SLF001 - what `alembic upgrade head` does

    with EnvironmentContext(Config(), script, fn=upgrade) as environment:
        environment.configure(connection=connection, transactional_ddl=False)
        try:
            environment.run_migrations()
        except CommandError as error:
            raise LedgerError(f"The ledger's schema is of another version of Glasnost: {error}") from None
