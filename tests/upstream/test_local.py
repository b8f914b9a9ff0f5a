"""The local upstream over a real engine with a real model."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from adapter_files import adapters
from glasnost.config import LocalUpstream
from glasnost.engine.plan import Plan
from glasnost.errors import GlasnostError, UpstreamError, UpstreamUnavailable
from glasnost.upstream.local import LocalEngine, command
from glasnost.upstream.room import Room
from loopback import ask

ROOM = Room((1 << 40,))
ENDLESS = {"max_tokens": 1500, "temperature": 0, "logit_bias": {"2": -100}}  # the end-of-turn token of SmolLM2


def settings(**changes: Any) -> LocalUpstream:
    return LocalUpstream(kind="local", gguf="smol", ctx=2048, slots=2, threads=2, start_seconds=60, **changes)


@asynccontextmanager
async def engine(path: Path, **changes: Any) -> AsyncIterator[LocalEngine]:
    upstream = LocalEngine("smol", settings(**changes), path, ROOM)
    try:
        yield upstream
    finally:
        await upstream.aclose()


async def until(condition: Any, seconds: float) -> float:
    began = time.monotonic()
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - a process has no event to wait for
            await asyncio.sleep(0.02)
    return time.monotonic() - began


def accepts(path: str) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex(path) == 0


async def drained(chunks: AsyncIterator[Any]) -> list[Any]:
    return [chunk async for chunk in chunks]


def gone(pid: int) -> bool:
    """True when the process has ended; one that nobody reaps has ended too."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_the_command_line_carries_every_setting():
    given = settings(
        gpu_layers=3, tensor_split=(3, 1), kv_type="q8_0", flash_attention=True, queue=9, batch=128, pinned=True
    )
    line = command("up/1", given, Path("m.gguf"), Path("e.sock"), Plan(2048, 2, 0))
    assert line[1:4] == ["-m", "glasnost", "engine"]
    assert line[-1] == "m.gguf"
    options = dict(zip(line[4:-1:2], line[5:-1:2], strict=True))
    assert options == {
        "--name": "up/1",
        "--uds": "e.sock",
        "--parent": str(os.getpid()),
        "--slots": "2",
        "--ctx": "2048",
        "--queue": "9",
        "--batch": "128",
        "--threads": "2",
        "--gpu-layers": "3",
        "--tensor-split": "3,1",
        "--kv-type": "q8_0",
        "--flash-attention": "on",
    }
    assert "auto" in command("x", settings(flash_attention="auto"), Path("m"), Path("s"), Plan(256, 1, 0))


def test_the_command_line_carries_adapters_with_their_scales():
    given = settings(
        lora={"law": "law:0.5", "slang": {"path": "slang.gguf", "scale": 0}},
        control_vectors=["calm.gguf", {"path": "kind.gguf", "scale": -0.25}],
        control_vector_layers=[8, 20],
    )
    line = command("up", given, Path("m.gguf"), Path("e.sock"), Plan(2048, 2, 0))
    assert line[-11:-1] == [
        *("--lora", "law=law:0.5:1.0", "--lora", "slang=slang.gguf:0.0"),
        *("--control-vector", "calm.gguf:1.0", "--control-vector", "kind.gguf:-0.25"),
        *("--control-vector-layers", "8-20"),
    ]


@pytest.mark.model
def test_a_request_chooses_among_the_adapters_of_its_upstream(smollm_path, tmp_path):
    (path,) = adapters(tmp_path, 2)

    async def run() -> None:
        async with engine(smollm_path, lora={"two": str(path)}) as upstream:
            answers = []
            for fields in ({}, {"lora": []}, {"lora": [{"id": "two", "scale": 1}]}):
                answer = await upstream.complete(ask(max_tokens=24, temperature=0, **fields))
                answers.append(answer["choices"][0]["message"]["content"])
            default, plain, chosen = answers
            assert default != plain
            assert chosen != plain
            with pytest.raises(GlasnostError, match="lora"):
                await upstream.complete(ask(lora=[{"id": "one"}]))

    asyncio.run(run())


@pytest.mark.model
def test_an_engine_answers_in_one_piece_and_in_chunks_with_the_same_text(smollm_path):
    async def run() -> None:
        async with engine(smollm_path) as upstream:
            request = ask(max_tokens=12, temperature=0)
            answer = await upstream.complete(request)
            chunks = [chunk async for chunk in upstream.stream(request)]
            text = "".join(choice["delta"].get("content") or "" for chunk in chunks for choice in chunk["choices"])
            assert text == answer["choices"][0]["message"]["content"]
            assert chunks[-1]["usage"]["completion_tokens"] == 12
            assert upstream.loaded
            assert upstream.stats["kv_size"] == 2048
            assert 0 < upstream.load_seconds < 60

    asyncio.run(run())


@pytest.mark.model
def test_an_engine_gives_vectors_and_tells_what_it_serves(smollm_path):
    async def embed():
        async with engine(smollm_path) as upstream:
            vectors = await upstream.post("/embeddings", {"model": "any", "input": "A text."})
            return vectors, await upstream.get("/props", seconds=5)

    vectors, facts = asyncio.run(embed())
    assert len(vectors["data"][0]["embedding"]) == facts["model"]["n_embd"]
    assert facts["model"]["sha256"] == smollm_path.stem


@pytest.mark.model
def test_only_the_owner_may_enter_the_folder_of_the_socket_and_it_goes_away(smollm_path):
    async def run() -> Path:
        async with engine(smollm_path) as upstream:
            await upstream.complete(ask(max_tokens=1))
            path = Path(upstream._server._settings.uds)
            assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
            assert len(str(path)) < 100
        return path.parent

    folder = asyncio.run(run())
    assert not folder.exists()


@pytest.mark.model
@pytest.mark.faults
def test_killing_an_engine_fails_what_it_answers_and_the_next_request_gets_a_new_one(smollm_path):
    async def run() -> None:
        async with engine(smollm_path) as upstream:
            async with aclosing(upstream.stream(ask(**ENDLESS))) as chunks:
                for _ in range(3):
                    await anext(chunks)
                waiting = asyncio.create_task(upstream.complete(ask(**ENDLESS)))
                await asyncio.sleep(0.2)
                assert upstream.pid is not None
                os.kill(upstream.pid, signal.SIGKILL)
                with pytest.raises(UpstreamUnavailable):
                    await drained(chunks)
                with pytest.raises(UpstreamUnavailable):
                    await waiting
            answer = await upstream.complete(ask(max_tokens=2))
            assert answer["choices"][0]["finish_reason"] == "length"
            assert upstream.restarts == 1

    asyncio.run(run())


@pytest.mark.model
@pytest.mark.faults
def test_a_request_that_meets_a_dead_engine_before_the_supervisor_does_is_served_by_the_next(smollm_path):
    async def run() -> None:
        async with engine(smollm_path) as upstream:
            await upstream.start()
            for streamed in (False, True):
                await upstream.complete(ask(max_tokens=1))
                pid = upstream.pid
                assert pid is not None
                os.kill(pid, signal.SIGKILL)
                while accepts(upstream._server._settings.uds):  # without yielding, so that nobody can notice
                    time.sleep(0.001)  # noqa: ASYNC251 - on purpose
                for _ in range(2):
                    await asyncio.sleep(0)  # the end of its idle connections is seen
                assert upstream.loaded, "the supervisor has not noticed"
                if streamed:
                    assert len(await drained(upstream.stream(ask(max_tokens=2)))) >= 2
                else:
                    await upstream.complete(ask(max_tokens=2))
            assert upstream.restarts == 2
            assert upstream.name == "smol"

    asyncio.run(run())


@pytest.mark.model
def test_a_client_that_leaves_frees_its_slot(smollm_path):
    async def run() -> None:
        async with engine(smollm_path) as upstream:
            waiting = asyncio.create_task(upstream.complete(ask(**ENDLESS)))
            async with aclosing(upstream.stream(ask(**ENDLESS))) as chunks:
                await anext(chunks)
                await asyncio.sleep(0.3)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            await asyncio.sleep(1)
            figures = await upstream._probe()
            assert figures is not None
            assert (figures["busy"], figures["cancelled"]) == (0, 2)

    asyncio.run(run())


@pytest.mark.model
def test_an_idle_engine_is_unloaded_and_answers_again(smollm_path):
    async def run() -> None:
        async with engine(smollm_path, idle_unload_seconds=0.5) as upstream:
            await upstream.complete(ask(max_tokens=1))
            first = upstream.pid
            await until(lambda: gone(first), 10)
            await until(lambda: upstream.pid is None, 5)
            assert (upstream.loaded, upstream.stats, upstream.ready()) == (False, {}, True)
            await upstream.complete(ask(max_tokens=1))
            assert upstream.pid not in (None, first)
            assert upstream.restarts == 0

    asyncio.run(run())


def test_a_file_that_is_no_model_is_an_error_that_comes_fast(tmp_path):
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF" + bytes(100))

    async def run() -> float:
        async with engine(broken) as upstream:
            with pytest.raises(UpstreamError, match="did not start"):
                await upstream.complete(ask())
            assert not upstream.ready()
            began = time.monotonic()
            with pytest.raises(UpstreamUnavailable):
                await upstream.complete(ask())
            return time.monotonic() - began

    assert asyncio.run(run()) < 0.3


PARENT = """
import asyncio, sys
from pathlib import Path
from glasnost.config import LocalUpstream
from glasnost.upstream.local import LocalEngine
from glasnost.upstream.room import Room

async def main():
    settings = LocalUpstream(kind="local", gguf="x", ctx=512, slots=1, threads=1, pinned=True)
    engine = LocalEngine("smol", settings, Path(sys.argv[1]), Room((1 << 40,)))
    await engine.start()
    while not (engine.loaded or sys.argv[2] == "early" and engine.pid):
        await asyncio.sleep(0.02)
    print(engine.pid, flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""


@pytest.mark.model
@pytest.mark.faults
@pytest.mark.parametrize("moment", ["early", "loaded"])
def test_an_engine_ends_when_its_parent_is_killed(smollm_path, moment):
    with subprocess.Popen([sys.executable, "-c", PARENT, str(smollm_path), moment], stdout=subprocess.PIPE) as parent:
        try:
            assert parent.stdout is not None
            lines = iter(parent.stdout.readline, b"")
            pid = next(int(line) for line in lines if line.strip().isdigit())
            assert not gone(pid)
        finally:
            parent.kill()
        seconds = asyncio.run(until(lambda: gone(pid), 10))
    assert seconds < 8, json.dumps({"pid": pid, "seconds": seconds})
