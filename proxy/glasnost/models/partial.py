"""A model's file in the making: hashed while it grows, never larger than it should be."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Self

from glasnost.errors import ModelFileError

CHUNK = 1 << 20


class Partial:
    """An open file to append to; `size` bytes of it exist, the ones it had before included."""

    def __init__(self, path: Path, *, limit: int | None = None) -> None:
        self.path = path
        self.size = 0
        self._limit = limit
        self._hash = hashlib.sha256()
        self._file = path.open("a+b")
        self._file.seek(0)
        while chunk := self._file.read(CHUNK):
            self._count(chunk)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def write(self, data: bytes) -> None:
        """Append `data`; raises `ModelFileError` once there is more than the model has, and `OSError`."""
        self._count(data)
        if self._limit is not None and self.size > self._limit:
            raise self._discard(f"is larger than the {self._limit} bytes of the model")
        self._file.write(data)

    def restart(self) -> None:
        """Throw away what is there."""
        self._file.truncate(0)
        self.size = 0
        self._hash = hashlib.sha256()

    def check(self, sha256: str) -> None:
        """Make sure that this is the file with that hash; remove it and raise `ModelFileError` if not."""
        self._file.flush()
        if self._limit is not None and self.size != self._limit:
            raise self._discard(f"has {self.size} bytes instead of {self._limit}")
        if self._hash.hexdigest() != sha256:
            raise self._discard(f"has the SHA-256 {self._hash.hexdigest()} instead of {sha256}")

    def _count(self, data: bytes) -> None:
        self._hash.update(data)
        self.size += len(data)

    def _discard(self, what: str) -> ModelFileError:
        self.path.unlink(missing_ok=True)
        return ModelFileError(f"what came {what}")
