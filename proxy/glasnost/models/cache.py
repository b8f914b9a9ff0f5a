"""The cache of verified model files: `<sha256>.gguf` with a mark that spares hashing it at every start.

Rules kept here: a file gets its `.gguf` name only after its SHA-256 was checked, by an atomic rename; whatever is
unfinished lives under `downloads/<key>/`; one process at a time fetches one file.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path


def cache_folder(environ: Mapping[str, str]) -> Path:
    """Give `$XDG_CACHE_HOME/glasnost/models`, under `~/.cache` where the variable is unset or empty."""
    base = environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "glasnost" / "models"


@dataclass(frozen=True, slots=True)
class Cache:
    """The folder that holds the files; it comes into being with the first pull."""

    folder: Path

    def path(self, sha256: str) -> Path:
        """Give the place of the file with this hash, whether it is there or not."""
        return self.folder / f"{sha256}.gguf"

    def work(self, key: str) -> Path:
        """Give the folder for whatever is unfinished under `key`."""
        return self.folder / "downloads" / key

    def find(self, sha256: str, *, size: int | None = None, verify: bool = False) -> Path | None:
        """Give the file if it is there and right; hash it when it has no fresh mark, or to `verify`."""
        path = self.path(sha256)
        try:
            facts = _facts(path)
        except FileNotFoundError:
            return None
        if size is not None and facts["size"] != size:
            return None
        if not verify and self._mark_of(sha256) == facts:
            return path
        if file_sha256(path) != sha256:
            self._unmark(sha256)
            return None
        self._set_mark(sha256)
        return path

    def adopt(self, partial: Path, sha256: str) -> Path:
        """Make a checked `partial` file the cached one."""
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        path = partial.replace(self.path(sha256))
        self._set_mark(sha256)
        return path

    def clear_work(self, key: str) -> None:
        """Remove whatever is unfinished under `key`."""
        shutil.rmtree(self.work(key), ignore_errors=True)

    def clear_empty_work(self, key: str) -> None:
        """Remove the folders under `key` that hold nothing an interrupted download could go on from."""
        for place, _, _ in os.walk(self.work(key), topdown=False):
            with suppress(OSError):  # not empty
                Path(place).rmdir()

    def alias(self, text: str) -> str | None:
        """Give the SHA-256 that the first pull of the reference `text` got."""
        try:
            return self._alias(text).read_text().strip()
        except FileNotFoundError:
            return None

    def set_alias(self, text: str, sha256: str) -> None:
        """Pin the reference `text` to `sha256`."""
        self._alias(text).parent.mkdir(parents=True, exist_ok=True)
        self._alias(text).write_text(sha256)

    @contextmanager
    def lock(self, key: str, waiting: Callable[[], None]) -> Iterator[None]:
        """Hold the right to fetch `key`; `waiting` is called once if another process has it."""
        path = self.folder / "downloads" / f"{key}.lock"
        handle = _locked(path, waiting)
        try:
            yield
        finally:
            path.unlink(missing_ok=True)
            os.close(handle)
            with suppress(OSError):  # another download is under way
                path.parent.rmdir()

    def _mark(self, sha256: str) -> Path:
        return self.folder / f"{sha256}.verified"

    def _set_mark(self, sha256: str) -> None:
        unfinished = self.folder / f"{sha256}.{os.getpid()}.partial"
        with suppress(OSError):  # a cache that cannot be written to is a good cache, only slower
            unfinished.write_text(json.dumps(_facts(self.path(sha256))))
            unfinished.replace(self._mark(sha256))

    def _unmark(self, sha256: str) -> None:
        with suppress(OSError):
            self._mark(sha256).unlink(missing_ok=True)

    def _mark_of(self, sha256: str) -> object:
        try:
            return json.loads(self._mark(sha256).read_text())
        except (OSError, ValueError):
            return None

    def _alias(self, text: str) -> Path:
        return self.folder / "aliases" / hashlib.sha256(text.encode()).hexdigest()


def file_sha256(path: Path) -> str:
    """Hash a whole file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _facts(path: Path) -> dict[str, int]:
    status = path.stat()
    return {"size": status.st_size, "mtime_ns": status.st_mtime_ns}


def _locked(path: Path, waiting: Callable[[], None]) -> int:
    told = False
    while True:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            handle = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o644)
        except FileNotFoundError:  # the holder before us has just removed the folder
            continue
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not told:
                told = True
                waiting()
            fcntl.flock(handle, fcntl.LOCK_EX)
        # The holder before us has removed the file: a lock on a removed file excludes nobody.
        if _same_file(handle, path):
            return handle
        os.close(handle)


def _same_file(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False
