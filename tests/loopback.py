"""A loopback HTTP server whose every byte a test decides, and that notes what it received and who hung up."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from glasnost.wire.chat import ChatRequest


@dataclass
class Peer:
    """One connection as the server sees it, with the request that came over it."""

    writer: asyncio.StreamWriter
    reader: asyncio.StreamReader
    line: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        return json.loads(self.body)

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def head(self, status: str = "200 OK", **headers: str) -> None:
        lines = [f"HTTP/1.1 {status}", *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items())]
        await self.send("\r\n".join([*lines, "\r\n"]).encode())

    async def events(self) -> None:
        """Open a stream whose end is the end of the connection."""
        await self.head(content_type="text/event-stream", connection="close")

    async def event(self, value: Any) -> None:
        await self.send(b"data: " + (value if isinstance(value, bytes) else json.dumps(value).encode()) + b"\n\n")

    async def answer(self, value: Any, status: str = "200 OK", **headers: str) -> None:
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        kinds = {"content_type": "application/json", **headers}
        await self.head(status, **kinds, content_length=str(len(body)))
        await self.send(body)

    async def gone(self) -> bool:
        """Wait until the other side hangs up."""
        with suppress(ConnectionError):
            while await self.reader.read(65_536):
                pass
        return True


Handler = Callable[[Peer], Awaitable[None]]


@dataclass
class Loopback:
    url: str
    peers: list[Peer] = field(default_factory=list)
    connections: int = 0
    tasks: set[asyncio.Task[None]] = field(default_factory=set)
    server: asyncio.Server | None = None

    async def stop(self) -> None:
        """Close the listener and cut every connection."""
        if self.server is not None:
            self.server.close()
        running = list(self.tasks)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


@asynccontextmanager
async def loopback(handler: Handler, *, uds: Path | None = None) -> AsyncIterator[Loopback]:
    """Serve `handler`; a connection is kept for the next request when the handler leaves it open."""
    served = Loopback("http://engine/v1")

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        served.connections += 1
        task = asyncio.current_task()
        assert task is not None
        served.tasks.add(task)
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while not writer.is_closing():
                peer = await _request(reader, writer)
                served.peers.append(peer)
                await handler(peer)
        served.tasks.discard(task)
        writer.close()
        with suppress(ConnectionError, asyncio.CancelledError):
            await writer.wait_closed()

    if uds is None:
        served.server = await asyncio.start_server(connected, "127.0.0.1", 0)
        served.url = f"http://127.0.0.1:{served.server.sockets[0].getsockname()[1]}/v1"
    else:
        served.server = await asyncio.start_unix_server(connected, str(uds))
    try:
        yield served
    finally:
        await served.stop()


async def _request(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Peer:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Peer(writer, reader, head[0], headers, body)


def ask(prompt: str = "What is the capital of France?", model: str = "m", **fields: Any) -> ChatRequest:
    return ChatRequest.parse({"model": model, "messages": [{"role": "user", "content": prompt}], **fields})


def chunk(delta: dict[str, Any], finish_reason: str | None = None, index: int = 0) -> dict[str, Any]:
    choice = {"index": index, "delta": delta, "finish_reason": finish_reason}
    return {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}


def completion(content: str = "Paris.") -> dict[str, Any]:
    message = {"role": "assistant", "content": content}
    return {
        "id": "c",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
    }
