"""A gateway under load that is killed at a random moment, again and again, on one ledger."""

from __future__ import annotations

import asyncio
import json
import random
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from glasnost.record.ledger import read
from glasnost.record.ledger.place import Place, at_file
from glasnost.record.ledger.verify import Counts, verify
from running import free_port

CLIENTS = 16
CONFIG = """
upstreams: {{one: {{kind: scripted, script: script.yaml}}}}
models: {{asked: {{upstream: one}}}}
ledger: {{path: "{ledger}", content: full}}
"""
SCRIPT = {"rules": [{"text": "I cannot discuss political topics, and I would rather not.", "split": 7}]}
BODY = {"model": "asked", "messages": [{"role": "user", "content": "Who was Liu Xiaobo?"}]}


@dataclass
class Seen:
    """What the clients saw: the exchanges whose answers were whole."""

    whole: set[str] = field(default_factory=set)
    broken: int = 0


def kill_again_and_again(folder: Path, kills: int, chance: random.Random) -> tuple[Place, Seen]:
    """Run `kills` gateways, one after the other, and kill each within its first second under load."""
    ledger = folder / "ledger.db"
    (folder / "glasnost.yaml").write_text(CONFIG.format(ledger=ledger))
    (folder / "script.yaml").write_text(json.dumps(SCRIPT))
    seen = Seen()
    for _ in range(kills):
        port = free_port()
        command = [sys.executable, "-m", "glasnost", "serve", "--config", str(folder / "glasnost.yaml")]
        process = subprocess.Popen([*command, "--port", str(port), "--log-level", "error"])
        try:
            asyncio.run(_one_life(process, port, seen, chance.uniform(0.05, 1.0)))
        finally:
            process.kill()
            process.wait()
    return at_file(ledger), seen


async def _one_life(process: subprocess.Popen[bytes], port: int, seen: Seen, seconds: float) -> None:
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
        await _ready(session, process)
        clients = [asyncio.ensure_future(_client(session, seen, stream=bool(index % 2))) for index in range(CLIENTS)]
        await asyncio.sleep(seconds)
        process.kill()
        await asyncio.gather(*clients)


async def _ready(session: aiohttp.ClientSession, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        try:
            async with session.get("/readyz") as answer:
                if answer.status == 200:
                    return
        except aiohttp.ClientError:
            pass
        await asyncio.sleep(0.05)
    raise AssertionError("the gateway was not ready in time")


async def _client(session: aiohttp.ClientSession, seen: Seen, *, stream: bool) -> None:
    """Ask until the gateway is gone."""
    while True:
        try:
            async with session.post("/v1/chat/completions", json={**BODY, "stream": stream}) as answer:
                name, text = answer.headers.get("x-glasnost-id", ""), await answer.text()
        except aiohttp.ClientError:
            seen.broken += 1
            return
        if answer.status == 200 and (not stream or text.endswith("data: [DONE]\n\n")):
            seen.whole.add(name)
        else:
            seen.broken += 1


@dataclass
class Outcome:
    """What the ledger says after the last kill."""

    lost: set[str]
    breaks: list[str]
    kinds: Counter[str]
    counts: Counts


def outcome(place: Place, seen: Seen) -> Outcome:
    """Compare what the clients saw with what is recorded."""
    counts = Counts()
    with place.reader().connect() as connection:
        closed = {found.entry.exchange for found in read.ends(connection)}
        kinds = Counter(note.kind for note in read.notes(connection))
        breaks = [str(each) for each in verify(connection, counts)]
    return Outcome({name for name in seen.whole if name not in closed}, breaks, kinds, counts)
