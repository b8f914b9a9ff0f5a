"""A PostgreSQL server of our own, from Debian's packages, in a temporary folder."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

INSTALLED = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))


class Server:
    """A server that listens on a Unix socket alone; `url` names a fresh database every time it is asked."""

    def __init__(self, programs: Path, folder: Path, user: str | None) -> None:
        self._programs = programs
        self._folder = folder
        self._user = user
        self._databases = 0
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [self._programs / "postgres", "-D", self._folder / "data", "-k", self._folder, "-h", "", "-F"]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, user=self._user, stdout=log, stderr=log)
        deadline = time.monotonic() + 60
        while not (self._folder / ".s.PGSQL.5432").exists() or not self._ready():
            assert time.monotonic() < deadline, (self._folder / "log").read_text()
            time.sleep(0.05)

    def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(3)  # SIGQUIT: at once, as after a crash
            self._process.wait(30)
            self._process = None
            (self._folder / ".s.PGSQL.5432").unlink(missing_ok=True)

    def url(self) -> str:
        self._databases += 1
        name = f"ledger{self._databases}"
        self._run("createdb", "-h", self._folder, "-U", "glasnost", name)
        return f"postgresql://glasnost@/{name}?host={self._folder}"

    def initialise(self) -> None:
        self._run("initdb", "-D", self._folder / "data", "-U", "glasnost", "--auth", "trust", "-E", "UTF8", "--no-sync")

    def _ready(self) -> bool:
        command = [self._programs / "pg_isready", "-q", "-h", self._folder, "-U", "glasnost", "-d", "postgres"]
        return subprocess.run(command, check=False).returncode == 0

    def _run(self, program: str, *arguments: object) -> None:
        command = [self._programs / program, *map(str, arguments)]
        done = subprocess.run(command, user=self._user, capture_output=True, text=True, check=False, cwd=self._folder)
        assert done.returncode == 0, done.stderr


@contextlib.contextmanager
def postgres() -> Iterator[Server]:
    """Run a server; skips where Debian's package is not installed."""
    if not INSTALLED:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    folder = Path(tempfile.mkdtemp(prefix="pg", dir="/tmp"))  # a socket's path must be short
    user = None
    if os.geteuid() == 0:  # it refuses to run as root
        user = "postgres"
        try:
            os.chown(folder, pwd.getpwnam(user).pw_uid, -1)
        except KeyError:
            pytest.skip("there is no user for PostgreSQL to run as")
    server = Server(INSTALLED[-1].parent, folder, user)
    try:
        server.initialise()
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
