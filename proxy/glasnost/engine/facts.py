"""Facts on the file of a model that take time to find out."""

from __future__ import annotations

import logging
import os
import sys
import threading
from hashlib import file_digest
from pathlib import Path

log = logging.getLogger("glasnost.engine")

_LOWEST_PRIORITY = 19


class Fingerprint:
    """The SHA-256 of a file: `sha256` is None until it is known.

    The cache of models is content-addressed: its file names are digests that `pull` has verified. Any other file is
    read once, by a thread that gives way to all others.
    """

    def __init__(self, path: Path) -> None:
        self.sha256: str | None = path.stem if _is_digest(path.stem) else None
        self._path = path

    def start(self) -> None:
        """Begin to read the file, unless its name says it all."""
        if self.sha256 is None:
            threading.Thread(target=self._read, name="fingerprint", daemon=True).start()

    def _read(self) -> None:
        if sys.platform == "linux":  # elsewhere it would slow down the whole process
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _LOWEST_PRIORITY)
        try:
            with self._path.open("rb") as file:
                self.sha256 = file_digest(file, "sha256").hexdigest()
        except OSError as error:
            log.warning("the SHA-256 of %s is not known: %s", self._path.name, error.strerror)


def _is_digest(text: str) -> bool:
    return len(text) == 64 and all(character in "0123456789abcdef" for character in text)
