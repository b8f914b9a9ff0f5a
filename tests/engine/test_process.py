"""The engine's process: how it ends, how it fails, and who may ask it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from engine_process import ALL_CORES, run_engine

pytestmark = pytest.mark.model


def run(*arguments, **environment):
    """Run an engine that is meant to fail; give its status and what it printed."""
    command = [sys.executable, "-m", "glasnost", "engine", *map(str, arguments)]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=False, env={**os.environ, **environment}
    )
    return done.returncode, done.stderr


def wait_until_gone(pid, seconds=10):
    deadline = time.monotonic() + seconds
    while Path(f"/proc/{pid}").exists():
        assert time.monotonic() < deadline, f"process {pid} lives on"
        time.sleep(0.05)


def test_sigterm_ends_it_cleanly(smollm_path, tmp_path):
    with run_engine(smollm_path, tmp_path / "e.sock") as engine:
        engine.process.send_signal(signal.SIGTERM)
        assert engine.process.wait(15) == 0
        assert not engine.socket.exists()
        assert "Traceback" not in engine.process.stdout.read()


def test_a_running_answer_ends_before_the_process_does(smollm_path, tmp_path):
    body = {"model": "m", "messages": [{"role": "user", "content": "Tell me a story."}], "max_tokens": 60}
    with run_engine(smollm_path, tmp_path / "e.sock", **ALL_CORES) as engine, engine.client() as client:
        with client.stream("POST", "/v1/chat/completions", json={**body, "stream": True}) as response:
            lines = response.iter_lines()
            next(lines)
            engine.process.send_signal(signal.SIGTERM)
            rest = [line for line in lines if line]
        assert rest[-1] == "data: [DONE]"
        assert engine.process.wait(15) == 0


def test_the_socket_is_for_its_owner_only(smollm):
    assert smollm.socket.stat().st_mode & 0o777 == 0o600


def test_it_ends_with_its_parent_even_when_that_is_killed(smollm_path, tmp_path):
    uds = tmp_path / "e.sock"
    program = (
        "import os, subprocess, sys, time\n"
        "engine = subprocess.Popen([sys.executable, '-m', 'glasnost', 'engine', sys.argv[1], '--uds', sys.argv[2],"
        " '--parent', str(os.getpid())])\n"
        "print(engine.pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    command = [sys.executable, "-c", program, str(smollm_path), str(uds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        pid = int(parent.stdout.readline())
        deadline = time.monotonic() + 30
        while not uds.exists():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        parent.kill()
    wait_until_gone(pid)


def test_a_file_that_is_no_gguf_is_refused(tmp_path):
    file = tmp_path / "model.gguf"
    file.write_bytes(b"PK\x03\x04" + bytes(1000))
    assert run(file, "--port", "0") == (1, "glasnost engine: model.gguf is not a GGUF file\n")


@pytest.mark.parametrize("size", [4, 100, 5_000, 50_000_000])
def test_a_truncated_gguf_is_refused_with_a_reason(smollm_path, tmp_path, size):
    file = tmp_path / "model.gguf"
    with smollm_path.open("rb") as source:
        file.write_bytes(source.read(size))
    status, message = run(file, "--port", "0")
    assert status == 1
    assert message.startswith("glasnost engine: model.gguf cannot be loaded: ")
    assert "Traceback" not in message


def test_an_address_in_use_is_known_before_the_model_is_loaded(smollm_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        status, message = run(smollm_path, "--port", taken.getsockname()[1])
    assert status == 1
    assert "Address already in use" in message


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (["--slots", "0"], "slots"),
        (["--threads", "many"], "threads"),
        (["--gpu-layers", "-3"], "gpu-layers"),
        (["--kv-type", "q9"], "kv-type"),
        (["--flash-attention", "maybe"], "flash-attention"),
        (["--tensor-split", "a,b"], "tensor-split"),
        (["--host", "0.0.0.0"], "GLASNOST_ENGINE_KEY"),
    ],
)
def test_options_that_cannot_work_are_named(smollm_path, options, word):
    status, message = run(smollm_path, *options)
    assert status == 2
    assert word in message


def test_with_a_key_only_those_who_send_it_are_served(smollm_path, tmp_path):
    uds = tmp_path / "e.sock"
    with run_engine(smollm_path, uds, GLASNOST_ENGINE_KEY="sesame") as engine, engine.client() as client:
        for key, status in (("sesame", 200), ("Sesame", 401), ("' OR 1=1--", 401), ("x" * 10_000, 401)):
            headers = {"authorization": f"Bearer {key}"}
            assert client.get("/v1/models", headers=headers).status_code == status
        assert client.get("/v1/models").json()["error"]["code"] == "invalid_api_key"
        assert client.get("/livez").status_code == 200


@pytest.mark.parametrize("kv_type", ["q8_0", "q4_0", "bf16"])
def test_other_types_of_kv_cache_answer_too(smollm_path, tmp_path, kv_type):
    body = {"model": "m", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 4, "temperature": 0}
    with run_engine(smollm_path, tmp_path / "e.sock", "--kv-type", kv_type) as engine, engine.client() as client:
        assert client.post("/v1/chat/completions", json=body).json()["choices"][0]["message"]["content"]
