"""`glasnost engine` as its own process, behind a Unix socket."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
from openai import OpenAI

ALL_CORES = {"OMP_THREAD_LIMIT": "1024"}
"""The environment of an engine as users run it: the tests, which run side by side, give it one core otherwise."""


@dataclass
class EngineProcess:
    process: subprocess.Popen[str]
    socket: Path
    name: str

    def client(self, timeout: float = 60) -> httpx.Client:
        transport = httpx.HTTPTransport(uds=str(self.socket))
        return httpx.Client(transport=transport, base_url="http://engine", timeout=timeout)

    def openai(self) -> OpenAI:
        return OpenAI(base_url="http://engine/v1", api_key="none", max_retries=0, http_client=self.client())

    def facts(self) -> dict:
        with self.client() as client:
            return client.get("/readyz").json()

    def wait_for(self, condition, seconds: float = 20) -> dict:
        deadline = time.monotonic() + seconds
        while not condition(facts := self.facts()):
            assert time.monotonic() < deadline, f"it never came to that: {facts}"
            time.sleep(0.005)
        return facts

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + 60
        while not self.listening():
            assert self.process.poll() is None, f"the engine ended: {self.process.stdout.read()}"
            assert time.monotonic() < deadline, "the engine was not ready in time"
            time.sleep(0.05)

    def listening(self) -> bool:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            return probe.connect_ex(str(self.socket)) == 0


@contextlib.contextmanager
def run_engine(gguf: Path, uds: Path, *options: str, name: str = "m", **environment: str) -> Iterator[EngineProcess]:
    command = [sys.executable, "-m", "glasnost", "engine", str(gguf), "--name", name, "--uds", str(uds), *options]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env={**os.environ, **environment}
    )
    try:
        engine = EngineProcess(process, uds, name)
        engine.wait_until_ready()
        yield engine
    finally:
        process.terminate()
        process.wait(40)
        process.stdout.close()
