from __future__ import annotations

import hashlib
import io
import os
import subprocess
import sys

import pytest
from rich.console import Console

from file_server import Site, serving
from glasnost.cli.pull import show_progress
from pulling import content

pytestmark = pytest.mark.processes

DATA = content(100_000)
SHA = hashlib.sha256(DATA).hexdigest()


def glasnost_pull(*words, cache):
    environment = os.environ | {"XDG_CACHE_HOME": str(cache)}
    return subprocess.run(
        [sys.executable, "-m", "glasnost", "pull", *words],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_pull_prints_the_path_alone_on_stdout_and_its_steps_on_stderr(tmp_path):
    with serving(Site(files={"/m.gguf": DATA})) as site:
        done = glasnost_pull(f"{site.url}/m.gguf#sha256={SHA}", cache=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{tmp_path}/glasnost/models/{SHA}.gguf\n"
    assert done.stderr.splitlines()[-1] == "downloading from 127.0.0.1: 100 % of 0 MB"


def test_verify_notices_a_file_that_went_bad(tmp_path):
    path = tmp_path / "glasnost" / "models" / f"{SHA}.gguf"
    with serving(Site(files={"/m.gguf": DATA})) as site:
        reference = f"{site.url}/m.gguf#sha256={SHA}"
        glasnost_pull(reference, cache=tmp_path)
        times = path.stat()
        path.write_bytes(content(100_000, seed=2))
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
        assert glasnost_pull(reference, cache=tmp_path).returncode == 0
        assert path.read_bytes() != DATA
        assert glasnost_pull("--verify", reference, cache=tmp_path).returncode == 0
    assert path.read_bytes() == DATA


def test_pull_fails_with_one_sentence_and_no_traceback(tmp_path):
    done = glasnost_pull("gpt-9", cache=tmp_path)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("glasnost pull: no model is called gpt-9; known are")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("terminal", [True, False])
def test_progress_names_every_step(terminal):
    console = Console(file=io.StringIO(), force_terminal=terminal, width=120)
    with show_progress(console) as progress:
        progress("asking")
        for done in range(0, 101, 5):
            progress("downloading", done * 1_000_000, 100_000_000)
    text = console.file.getvalue()
    if terminal:
        assert "downloading" in text
        assert "100.0/100.0 MB" in text
    else:
        steps = ["asking", *(f"downloading: {part} % of 100 MB" for part in (0, 25, 50, 75, 100))]
        assert text.splitlines() == steps
