"""An upstream that is an engine process of our own: the HTTP upstream over its socket, and its supervisor."""

from __future__ import annotations

import asyncio
import os
import sys
import weakref
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from glasnost.config import HttpUpstream, LocalUpstream
from glasnost.engine.gguf import read_gguf
from glasnost.engine.layout import Layout, layout_of
from glasnost.engine.plan import GPU_SLOTS, Plan, Wish, plan
from glasnost.errors import UpstreamUnavailable
from glasnost.upstream.folder import Folder
from glasnost.upstream.http import HttpServer, Unreached
from glasnost.upstream.room import Room
from glasnost.upstream.supervisor import Keeping, Supervisor
from glasnost.wire.answer import Chunk, Completion
from glasnost.wire.chat import ChatRequest

PROBE_SECONDS = 2.0
# The end of an engine is noticed within milliseconds, and within this on a machine that is very busy.
NOTICE_SECONDS = 2.0


class LocalEngine:
    """Serves the GGUF at `path` as upstream `name`; its engine runs when it is needed, or always when pinned.

    It takes what it needs of `room` while it runs; with a plan in `reserved`, its place there is kept.
    """

    def __init__(
        self, name: str, settings: LocalUpstream, path: Path, room: Room, reserved: Plan | None = None
    ) -> None:
        self._name = name
        self._settings = settings
        self._path = path
        self._room = room
        self._reserved = reserved
        self._folder = Folder()
        self._remove_folder = weakref.finalize(self, self._folder.remove)
        self._server = HttpServer(name, _over(self._folder.socket, name, settings))
        keeping = Keeping(
            start_seconds=settings.start_seconds,
            idle_seconds=settings.idle_unload_seconds,
            pinned=settings.pinned,
        )
        self._supervisor = Supervisor(name, keeping, self, self._probe)

    @property
    def name(self) -> str:
        """The upstream's name in the configuration."""
        return self._name

    @property
    def loaded(self) -> bool:
        """Whether the engine is up and its model is loaded."""
        return self._supervisor.loaded

    @property
    def load_seconds(self) -> float | None:
        """How long the last load took."""
        return self._supervisor.load_seconds

    @property
    def restarts(self) -> int:
        """How often the engine was started again after it ended by itself."""
        return self._supervisor.restarts

    @property
    def evictions(self) -> int:
        """How often the engine was unloaded to make room for another."""
        return self._supervisor.evictions

    @property
    def evictable(self) -> bool:
        """Whether it is loaded, may be unloaded, and nobody is being answered by it."""
        return self._supervisor.evictable

    @property
    def used_at(self) -> float:
        """When it was last used, in seconds of the monotonic clock."""
        return self._supervisor.used_at

    @property
    def stats(self) -> Mapping[str, Any]:
        """The engine's own figures, a few seconds old; empty while it is not loaded."""
        return self._supervisor.stats

    @property
    def pid(self) -> int | None:
        """The engine's process, None while there is none."""
        return self._supervisor.pid

    def ready(self) -> bool:
        """Say whether a request would be served now, or after a start on demand."""
        return self._supervisor.ready()

    async def start(self) -> None:
        """Begin to load a pinned engine."""
        self._supervisor.start()

    async def unload(self) -> None:
        """Stop the engine while nobody uses it, and return when it is gone."""
        await self._supervisor.unload()

    async def enter(self) -> Sequence[str]:
        """Make room for the engine and give its command line; raises NoRoom, or ModelFileError."""
        chosen = self._reserved
        if chosen is None:
            layout = await asyncio.to_thread(read_layout, self._path)
            chosen = plan(layout, wish_of(self._settings), self._room.shared)
            await self._room.enter(self, chosen)
        return command(self._name, self._settings, self._path, self._folder.socket, chosen)

    def leave(self) -> None:
        """Give the room back."""
        self._room.leave(self)

    async def complete(self, request: ChatRequest) -> Completion:
        """Answer in one piece."""
        with suppress(Unreached):
            async with self._engine():
                return await self._server.complete(request)
        async with self._engine():
            return await self._server.complete(request)

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Chunk]:
        """Answer chunk by chunk."""
        with suppress(Unreached):
            async with self._engine(), aclosing(self._server.stream(request)) as chunks:
                async for chunk in chunks:
                    yield chunk
                return
        async with self._engine(), aclosing(self._server.stream(request)) as chunks:
            async for chunk in chunks:
                yield chunk

    async def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Ask another path of the engine's API, such as `/embeddings`."""
        async with self._engine():
            return await self._server.post(path, body)

    async def get(self, path: str, *, seconds: float) -> Any:
        """Fetch a JSON document of the engine, such as `/props`; None when there is none within `seconds`."""
        async with self._engine():
            return await self._server.get(path, seconds=seconds)

    async def aclose(self) -> None:
        """Stop the engine and close the connections to it."""
        await self._supervisor.aclose()
        await self._server.aclose()
        self._remove_folder()

    @asynccontextmanager
    async def _engine(self) -> AsyncIterator[None]:
        """Hold the engine in use; what an engine's end breaks is told only after the end was noticed.

        Its sockets close one after the other, so that a request sent right after another broke could meet one that
        is still open. One that finds none open was not seen by anybody, and may be sent again to the next engine.
        """
        async with self._supervisor.lease() as life:
            try:
                yield
            except UpstreamUnavailable:
                await life.over(NOTICE_SECONDS)
                raise

    async def _probe(self) -> Mapping[str, Any] | None:
        figures = await self._server.get("/readyz", seconds=PROBE_SECONDS)
        return figures if isinstance(figures, dict) else None


def read_layout(path: Path) -> Layout:
    """Read where a model's bytes are; raises ModelFileError for a file that is not sound."""
    return layout_of(read_gguf(path))


def wish_of(settings: LocalUpstream) -> Wish:
    """Give what the settings ask of the planner."""
    return Wish(
        context=settings.ctx,
        slots=settings.slots,
        layers=settings.gpu_layers if isinstance(settings.gpu_layers, int) else None,
        split=settings.tensor_split,
        batch=settings.batch,
        kv_type=settings.kv_type,
        flash=settings.flash_attention is not False,
    )


def command(name: str, settings: LocalUpstream, path: Path, socket: Path, chosen: Plan) -> list[str]:
    """Give the command line of an engine that runs as planned, and ends with this process."""
    flash = settings.flash_attention
    options: dict[str, object] = {
        "name": name,
        "uds": socket,
        "parent": os.getpid(),
        "slots": chosen.slots,
        "ctx": chosen.context,
        "queue": settings.queue,
        "batch": settings.batch,
        "threads": settings.threads,
        "gpu-layers": chosen.layers if chosen.split else settings.gpu_layers,
        "kv-type": settings.kv_type,
        "flash-attention": flash if isinstance(flash, str) else "on" if flash else "off",
    }
    shares = chosen.split if any(chosen.split) else settings.tensor_split
    if shares:
        options["tensor-split"] = ",".join(f"{share:g}" for share in shares)
    arguments = [
        part for option, value in (*options.items(), *_adapters(settings)) for part in (f"--{option}", str(value))
    ]
    return [sys.executable, "-m", "glasnost", "engine", *arguments, str(path)]


def _adapters(settings: LocalUpstream) -> Iterator[tuple[str, str]]:
    for name, adapter in settings.lora.items():
        yield "lora", f"{name}={adapter.path}:{adapter.scale!r}"
    for vector in settings.control_vectors:
        yield "control-vector", f"{vector.path}:{vector.scale!r}"
    if settings.control_vector_layers is not None:
        yield "control-vector-layers", "-".join(map(str, settings.control_vector_layers))


def _over(socket: Path, name: str, settings: LocalUpstream) -> HttpUpstream:
    return HttpUpstream(
        kind="http",
        base_url="http://engine/v1",
        uds=str(socket),
        model=name,
        # A full queue is the engine's to tell: requests do not wait here instead.
        max_connections=(settings.slots or GPU_SLOTS) + settings.queue + 256,
        timeouts=settings.timeouts,
    )
