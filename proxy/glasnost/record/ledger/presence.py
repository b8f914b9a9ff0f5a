"""Which writers are alive: each holds a lock that the system releases with its process or its connection."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection, text

from glasnost.record.ledger.place import Place


class Presence(Protocol):
    """The locks of writers; a writer is a process, by a name of 32 hexadecimal digits."""

    def hold(self, connection: Connection, writer: str) -> None:
        """Show that `writer` is alive, as long as this process or the connection is."""
        ...

    def alive(self, connection: Connection, writer: str) -> bool:
        """Say whether another process shows that `writer` is alive."""
        ...

    def release(self) -> None:
        """Show it no longer."""
        ...


def presence(place: Place) -> Presence:
    """Give the locks of the place."""
    return _Files(place.file.with_name(f"{place.file.name}.writers")) if place.file else _Advisory()


class _Files:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held: tuple[int, Path] | None = None

    def hold(self, connection: Connection, writer: str) -> None:  # noqa: ARG002 - held by the process
        if self._held is None:
            self._folder.mkdir(parents=True, exist_ok=True)
            path = self._folder / writer
            handle = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
            fcntl.flock(handle, fcntl.LOCK_EX)
            self._held = handle, path

    def alive(self, connection: Connection, writer: str) -> bool:  # noqa: ARG002 - the same
        path = self._folder / writer
        try:
            handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        else:
            path.unlink(missing_ok=True)
            return False
        finally:
            os.close(handle)

    def release(self) -> None:
        if self._held is not None:
            handle, path = self._held
            path.unlink(missing_ok=True)
            os.close(handle)
            self._held = None


class _Advisory:
    """Shared locks: a new connection of a process need not wait until the server has seen the end of the old one."""

    def hold(self, connection: Connection, writer: str) -> None:
        connection.execute(text("SELECT pg_advisory_lock_shared(:key)"), {"key": _number(writer)})

    def alive(self, connection: Connection, writer: str) -> bool:
        return not connection.scalar(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": _number(writer)})

    def release(self) -> None:
        """Do nothing: the end of the connection does it."""


def _number(writer: str) -> int:
    return int(writer[:15], 16)
