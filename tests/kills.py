"""A gateway under load that is killed at a random moment, again and again, on one ledger."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import random
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from multiprocessing.process import BaseProcess
from pathlib import Path

import aiohttp
import uvicorn

from glasnost.cli.load import load_config, load_policy, load_scripts
from glasnost.policy.policy import Policy
from glasnost.record.ledger import read
from glasnost.record.ledger.place import Place, at_file
from glasnost.record.ledger.verify import Counts, verify
from glasnost.server.drain import Drain
from glasnost.services import build_service
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


def kill_again_and_again(
    folder: Path, kills: int, chance: random.Random, told: Callable[[int, Seen], None] = lambda _, __: None
) -> tuple[Place, Seen]:
    """Run `kills` gateways, one after the other, and kill each at a random moment under load; `told` hears of each."""
    ledger = folder / "ledger.db"
    (folder / "glasnost.yaml").write_text(CONFIG.format(ledger=ledger))
    (folder / "script.yaml").write_text(json.dumps(SCRIPT))
    seen = Seen()
    # Every gateway is a process of its own, which begins with the packs and the libraries loaded.
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["kills", "alembic.config", "alembic.script", "alembic.runtime.environment"])
    for done in range(kills):
        port = free_port()
        process = processes.Process(target=_serve, args=(folder, port), daemon=True)
        process.start()
        try:
            asyncio.run(_one_life(process, port, seen, chance))
        finally:
            process.kill()
            process.join()
        told(done + 1, seen)
    return at_file(ledger), seen


def _serve(folder: Path, port: int) -> None:
    config = load_config(folder / "glasnost.yaml", host=None, port=port)
    app = build_service(config, _policies(), {}, load_scripts(config, folder), os.environ, drain=Drain())
    uvicorn.run(app, port=port, loop="uvloop", http="httptools", log_config=None, access_log=False)


@cache
def _policies() -> Mapping[tuple[str, ...], Policy]:
    return {("prc",): load_policy(("prc",))}


async def _one_life(process: BaseProcess, port: int, seen: Seen, chance: random.Random) -> None:
    """Kill it some milliseconds after it gave some answers: how long it takes for these is the machine's affair."""
    enough, moment = len(seen.whole) + chance.randint(1, 100), chance.uniform(0, 0.03)
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
        await _ready(session, process)
        clients = [asyncio.ensure_future(_client(session, seen, stream=bool(index % 2))) for index in range(CLIENTS)]
        while len(seen.whole) < enough and process.is_alive():  # noqa: ASYNC110 - what the clients count is no event
            await asyncio.sleep(0.001)
        await asyncio.sleep(moment)
        process.kill()
        await asyncio.gather(*clients)


async def _ready(session: aiohttp.ClientSession, process: BaseProcess) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.is_alive():
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


if multiprocessing.current_process().name == "forkserver":  # loaded before it forks, once for all
    _policies()
