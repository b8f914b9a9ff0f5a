"""The folder of an engine's socket: short enough, private, and swept up after a gateway that was killed."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from glasnost.upstream.folder import Folder

HOLDER = "from glasnost.upstream.folder import Folder; f = Folder(); print(f.path, flush=True); input()"


@pytest.fixture
def base(monkeypatch):
    """A short folder for temporary files."""
    with tempfile.TemporaryDirectory(prefix="g-", dir="/tmp") as short:
        monkeypatch.setattr(tempfile, "tempdir", short)
        monkeypatch.setenv("TMPDIR", short)
        yield Path(short)


def test_it_is_private_and_goes_away(base):
    folder = Folder()
    assert folder.path.stat().st_mode & 0o777 == 0o700
    assert folder.socket.is_relative_to(base)
    folder.remove()
    folder.remove()
    assert list(base.iterdir()) == []


def test_where_the_usual_path_is_too_long_for_a_socket_another_is_taken(monkeypatch, tmp_path):
    long = tmp_path / ("x" * 100)
    long.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(long))
    folder = Folder()
    assert len(os.fsencode(folder.socket)) <= 107
    assert str(folder.path).startswith("/tmp/")
    folder.remove()


@pytest.mark.usefixtures("base")
def test_where_no_path_is_short_enough_that_is_said(monkeypatch):
    monkeypatch.setattr("glasnost.upstream.folder._LONGEST", 10)
    with pytest.raises(OSError, match="set TMPDIR"):
        Folder()


def test_what_a_killed_gateway_left_is_removed_and_what_a_running_one_uses_is_not(base, monkeypatch):
    monkeypatch.setattr("glasnost.upstream.folder._YOUNG_SECONDS", -1.0)
    holders = [
        subprocess.Popen([sys.executable, "-c", HOLDER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    killed, running = (Path(holder.stdout.readline().strip()) for holder in holders)
    holders[0].kill()
    holders[0].wait(10)
    assert killed.is_dir()
    folder = Folder()
    assert set(base.iterdir()) == {running, folder.path}
    folder.remove()
    holders[1].communicate("\n", timeout=10)
    holders[0].communicate(timeout=10)


def test_a_young_folder_without_a_lock_is_left_alone(base):
    young = base / "glasnost-12345678"
    young.mkdir()
    Folder().remove()
    assert young.is_dir()
