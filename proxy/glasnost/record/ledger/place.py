"""Where the ledger is: a SQLite file or a PostgreSQL server, opened so that what is committed is kept for good."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from glasnost.config import LedgerSettings
from glasnost.errors import LedgerError
from glasnost.record.ledger.migrate import migrate

_BUSY_SECONDS = 10
# A server that no longer answers, or a commit that is not for good, must not go unnoticed.
_SERVER = {
    "connect_timeout": 5,
    "tcp_user_timeout": 10_000,
    "keepalives_idle": 10,
    "options": "-c synchronous_commit=on -c statement_timeout=10000",
}


@dataclass(frozen=True, slots=True)
class Place:
    """The address of a ledger; `file` is None for a server."""

    url: URL
    file: Path | None = None

    def __str__(self) -> str:
        """Render without the password."""
        return str(self.file) if self.file else self.url.render_as_string(hide_password=True)

    def engine(self) -> Engine:
        """Give an engine that opens a connection for every use: a writer holds one, commands come and go."""
        if self.file is None:
            return self._server()
        engine = create_engine(self.url, poolclass=NullPool, connect_args={"timeout": _BUSY_SECONDS})
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_immediately)
        return engine

    def reader(self) -> Engine:
        """Give an engine whose transactions see the ledger as it is at one moment, and keep nobody from writing.

        Raises LedgerError where there is no file.
        """
        if self.file is None:
            return self._server(isolation_level="REPEATABLE READ")
        if not self.file.is_file():
            raise LedgerError(f"There is no ledger at {self.file}; name the one to read by --config or --ledger.")
        engine = create_engine(self.url, poolclass=NullPool, connect_args={"timeout": _BUSY_SECONDS})
        event.listen(engine, "connect", _leave_begin_to_us)
        event.listen(engine, "begin", _begin)
        return engine

    def _server(self, **options: Any) -> Engine:
        try:
            return create_engine(self.url, poolclass=NullPool, connect_args=_SERVER, **options)
        except ModuleNotFoundError as error:
            raise LedgerError(f"{error.name} is missing; install glasnost[postgresql].") from None


def prepare(place: Place) -> None:
    """See that a file can be written and has today's schema; raises LedgerError.

    A server may come up later than its gateways, and is not asked.
    """
    if place.file is None:
        return
    try:
        place.file.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(place.file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        with place.engine().begin() as connection:
            migrate(connection)
    except (OSError, SQLAlchemyError) as error:
        reason = str(getattr(error, "orig", error))
        raise LedgerError(f"{place.file} cannot be written: {reason}.") from None


def place_of(settings: LedgerSettings, environ: Mapping[str, str]) -> Place:
    """Give the place that the settings name; raises LedgerError."""
    if settings.url_env is None:
        return at_file(Path(settings.path) if settings.path else state_folder(environ) / "ledger.db")
    url = environ.get(settings.url_env)
    if not url:
        raise LedgerError(f"ledger.url_env: the environment variable {settings.url_env} is not set.")
    return at_server(url)


def at_file(path: Path) -> Place:
    """Give the place of a SQLite file."""
    return Place(URL.create("sqlite", database=str(path)), path)


def at_server(address: str) -> Place:
    """Give the place of a PostgreSQL database; raises LedgerError, which does not repeat the address."""
    try:
        url = make_url(address)
        if url.get_backend_name() != "postgresql":
            raise LedgerError("The ledger's address must begin with postgresql://.")
    except (ArgumentError, NoSuchModuleError):
        raise LedgerError("The ledger's address must be as in postgresql://user:password@host/database.") from None
    return Place(url.set(drivername="postgresql+psycopg"))


def state_folder(environ: Mapping[str, str]) -> Path:
    """Give `$XDG_STATE_HOME/glasnost`, under `~/.local/state` where the variable is unset or empty."""
    return Path(environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "glasnost"


def _set_up_sqlite(connection: Any, _: Any) -> None:
    _leave_begin_to_us(connection, _)
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA secure_delete = ON")  # what is erased or pruned is overwritten
    cursor.close()


def _leave_begin_to_us(connection: Any, _: Any) -> None:
    connection.isolation_level = None


def _begin_immediately(connection: Any) -> None:
    # A transaction that begins by reading cannot become one that writes while another process writes.
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _begin(connection: Any) -> None:
    connection.exec_driver_sql("BEGIN")
