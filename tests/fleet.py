"""Two gateways in front of three engines of one model, every one a process of its own, under load."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import aiohttp

from running import free_port


@dataclass
class Told:
    """What the clients of a fleet got: the exchanges answered whole, those cut after text, those that failed before."""

    whole: set[str] = field(default_factory=set)
    cut: int = 0
    failed: list[str] = field(default_factory=list)


class Member:
    """A `glasnost serve` of the configuration in a folder, on a port that it keeps."""

    def __init__(self, folder: Path, config: str, environment: Mapping[str, str], **files: str) -> None:
        folder.mkdir()
        (folder / "glasnost.yaml").write_text(config)
        for name, text in files.items():
            (folder / f"{name}.yaml").write_text(text)
        self._folder, self._environment, self.port = folder, environment, free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        options = ["--config", str(self._folder / "glasnost.yaml"), "--port", str(self.port)]
        with (self._folder / "log").open("ab") as log:
            environment = {**os.environ, **self._environment}
            environment.pop("COVERAGE_PROCESS_CONFIG", None)  # what is killed does not tell what it ran
            self._process = subprocess.Popen(
                [sys.executable, "-m", "glasnost", "serve", *options],
                env=environment,
                stdout=log,
                stderr=log,
            )

    def kill(self) -> None:
        """Kill it as `kill -9` does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()


@contextlib.contextmanager
def started(*members: Member) -> Iterator[None]:
    """Run them until the end."""
    try:
        for each in members:
            each.start()
        yield
    finally:
        for each in members:
            each.kill()


class Load:
    """Clients of several gateways that ask until `stop`, every other of them for a stream."""

    def __init__(self, ports: list[int], key: str, body: Mapping[str, object], clients: int) -> None:
        self.told = Told()
        self._ports, self._body, self._clients = ports, body, clients
        self._session = aiohttp.ClientSession(headers={"authorization": f"Bearer {key}"})
        self._tasks: list[asyncio.Task[None]] = []
        self._over = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()
        await self._session.close()

    def start(self) -> None:
        for index in range(self._clients):
            client = self._client(self._ports[index % len(self._ports)], stream=index // len(self._ports) % 2 == 1)
            self._tasks.append(asyncio.create_task(client))

    async def ready(self, members: list[Member], seconds: float = 120) -> None:
        """Wait until these, and the gateways, take requests."""
        async with asyncio.timeout(seconds):
            for port in (*(each.port for each in members), *self._ports):
                while not await self._is_ready(port):  # noqa: ASYNC110 - another process tells no event
                    await asyncio.sleep(0.1)

    async def _is_ready(self, port: int) -> bool:
        try:
            async with self._session.get(f"http://127.0.0.1:{port}/readyz") as answer:
                return answer.status == 200
        except aiohttp.ClientError:
            return False

    async def stop(self) -> None:
        """Let every client get its last answer."""
        self._over = True
        await asyncio.gather(*self._tasks)

    async def until(self, condition: Callable[[list[Mapping[str, float]]], bool], seconds: float = 120) -> list:
        """Wait until the metrics of the gateways fulfil a condition; give them."""
        async with asyncio.timeout(seconds):
            while not condition(seen := [await self._metrics(port) for port in self._ports]):  # noqa: ASYNC110 - a metric is none
                await asyncio.sleep(0.05)
        return seen

    async def _metrics(self, port: int) -> Mapping[str, float]:
        try:
            async with self._session.get(f"http://127.0.0.1:{port}/metrics") as answer:
                lines = (await answer.text()).splitlines() if answer.status == 200 else []
        except aiohttp.ClientError:
            return {}
        samples = (line.rpartition(" ") for line in lines if not line.startswith("#"))
        return {name: float(value) for name, _, value in samples}

    async def _client(self, port: int, *, stream: bool) -> None:
        while not self._over:
            url, body = f"http://127.0.0.1:{port}/v1/chat/completions", {**self._body, "stream": stream}
            async with self._session.post(url, json=body) as answer:
                name, status, text = answer.headers.get("x-glasnost-id", ""), answer.status, await answer.text()
            if status == 200 and (not stream or text.endswith("data: [DONE]\n\n")):
                self.told.whole.add(name)
            elif status == 200 and _spoke(text):
                self.told.cut += 1
            else:
                self.told.failed.append(f"{status}: {text[-500:]}")


def _spoke(text: str) -> bool:
    """Say whether a stream had released text."""
    events = [line[6:] for line in text.splitlines() if line.startswith("data: {")]
    return any(choice["delta"].get("content") for event in events for choice in json.loads(event).get("choices", ()))
