"""A folder of our own for an engine's socket: with a path that a socket can have, and gone when we are."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_PREFIX = "glasnost-"
_LOCK = "lock"
_SOCKET = "engine.sock"
# What sockaddr_un holds on Linux, without the zero at the end; mkdtemp adds eight characters to the prefix.
_LONGEST = 107
_ADDED = len(f"/{_PREFIX}12345678/{_SOCKET}")
# A folder younger than this may still be getting its lock.
_YOUNG_SECONDS = 60.0


class Folder:
    """Only this user may enter it: the socket in it asks for no key. Locked for as long as this process lives."""

    def __init__(self) -> None:
        base = _base()
        _clear(base)
        self.path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=base))
        self.socket = self.path / _SOCKET
        self._lock = os.open(self.path / _LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX)

    def remove(self) -> None:
        """Remove it; a second time does nothing."""
        if self._lock >= 0:
            shutil.rmtree(self.path, ignore_errors=True)
            os.close(self._lock)
            self._lock = -1


def _base() -> Path:
    """Give the folder for temporary files, or another where its path is too long for a socket."""
    usual = Path(tempfile.gettempdir())
    others = [Path(place) for place in (os.environ.get("XDG_RUNTIME_DIR"), "/tmp") if place]  # noqa: S108 - mkdtemp
    for base in (usual, *others):
        if len(os.fsencode(base)) + _ADDED <= _LONGEST and os.access(base, os.W_OK | os.X_OK):
            return base
    raise OSError(f"no folder for sockets: the path of {usual} is longer than a socket's may be; set TMPDIR")


def _clear(base: Path) -> None:
    """Remove what gateways left that were killed: folders whose lock nobody holds."""
    for folder in _old(base):
        with suppress(OSError):
            lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(lock)


def _old(base: Path) -> Iterator[Path]:
    for folder in base.glob(f"{_PREFIX}*"):
        with suppress(OSError):
            status = folder.lstat()
            if status.st_uid == os.getuid() and time.time() - status.st_mtime > _YOUNG_SECONDS:
                yield folder
