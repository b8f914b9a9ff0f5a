"""`glasnost serve` as its own process, on a free loopback port, with the engines that it starts."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
from openai import OpenAI


@dataclass
class Server:
    """A running `glasnost serve`."""

    process: subprocess.Popen[bytes]
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def openai(self, timeout: float = 120) -> OpenAI:
        return OpenAI(base_url=f"{self.url}/v1", api_key="none", max_retries=0, timeout=timeout)

    def ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/readyz", timeout=5).status_code == 200
        except httpx.TransportError:
            return False

    def wait_until_ready(self, seconds: float = 120) -> None:
        deadline = time.monotonic() + seconds
        while not self.ready():
            assert self.process.poll() is None, "the server ended"
            assert time.monotonic() < deadline, "the server was not ready in time"
            time.sleep(0.1)

    def metric(self, name: str, **labels: str) -> float:
        return metric(self.url, name, **labels)

    def engine(self, name: str) -> int:
        """Give the process of the engine that serves the upstream `name`."""
        for pid in children_of(self.process.pid):
            arguments = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            if b"engine" in arguments and name.encode() in arguments:
                return pid
        raise AssertionError(f"no engine {name!r}")


def metric(url: str, name: str, **labels: str) -> float:
    """Give the sum of all samples of `name` that have these labels."""
    wanted = [f'{key}="{value}"' for key, value in labels.items()]
    lines = httpx.get(f"{url}/metrics", timeout=10).text.splitlines()
    found = [line for line in lines if line.startswith((f"{name}{{", f"{name} "))]
    return sum(float(line.rsplit(" ", 1)[1]) for line in found if all(pair in line for pair in wanted))


def children_of(parent: int) -> list[int]:
    """Give the direct children of a process."""
    return [int(pid) for path in Path(f"/proc/{parent}/task").glob("*/children") for pid in path.read_text().split()]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def serve(*arguments: str, port: int | None = None, path: Path | None = None) -> Iterator[Server]:
    """Run `glasnost serve`, which imports from `path` first, until it is ready; stop it at the end."""
    port = port or free_port()
    command = [sys.executable, "-m", "glasnost", "serve", "--port", str(port), "--log-level", "warning", *arguments]
    environ = os.environ | ({"PYTHONPATH": str(path)} if path else {})
    process = subprocess.Popen(command, env=environ)
    server = Server(process, port)
    try:
        server.wait_until_ready()
        yield server
    finally:
        for _ in range(2):  # the second breaks off what runs
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                time.sleep(0.1)
        process.wait(30)
