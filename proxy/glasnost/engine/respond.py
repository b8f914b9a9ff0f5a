"""How an answer leaves the engine: whole or as server-sent events, and not at all once the client has gone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, Protocol

from starlette.types import Receive, Scope, Send

from glasnost.engine.answer import Tally
from glasnost.engine.events import Event, Failure, Progress
from glasnost.engine.ticket import Ticket
from glasnost.errors import GlasnostError
from glasnost.wire.answer import Chunk, Completion
from glasnost.wire.envelope import error_body
from glasnost.wire.jsonio import dumps
from glasnost.wire.sse import DONE, KEEP_ALIVE, encode

#: Seconds without a token after which a stream sends a comment, so that nothing between us drops the connection.
KEEP_ALIVE_AFTER = 15.0


class ClientGone(Exception):
    """The client closed its connection; there is nobody to answer."""


class Whole(Protocol):
    """Gathers the events of a request into one body."""

    def add(self, events: Iterable[Event]) -> None:
        """Take the next events; a Failure is raised."""
        ...

    def completion(self) -> Completion:
        """Give the body."""
        ...


class Chunks(Protocol):
    """Turns the events of a request into the chunks of its stream."""

    def opening(self) -> list[Chunk]:
        """Give what comes before the first event's."""
        ...

    def add(self, event: Progress) -> list[Chunk]:
        """Give those of the next event."""
        ...

    def closing(self) -> list[Chunk]:
        """Give what comes last."""
        ...


@dataclass(frozen=True, slots=True)
class WholeAnswer:
    """An ASGI response of one JSON object; an error before it is raised."""

    ticket: Ticket
    answer: Whole
    tally: Tally

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        """Wait for the whole answer, or stop with the client's connection."""
        async with _served(self.ticket, receive):
            while not self.tally.complete:
                self.answer.add(await self.ticket.events())
            await _send_json(send, self.answer.completion())


@dataclass(frozen=True, slots=True)
class ComputedAnswer:
    """An ASGI response of one JSON object that `compute` gives; an error of it is raised."""

    compute: Callable[[], Awaitable[dict[str, Any]]]

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        """Wait for the object, or stop with the client's connection."""
        tasks = asyncio.ensure_future(self.compute()), asyncio.ensure_future(_left(receive))
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if tasks[0].done():
                await _send_json(send, tasks[0].result())
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


@dataclass(frozen=True, slots=True)
class StreamedAnswer:
    """An ASGI response of server-sent events; an error before the first is raised, a later one ends the stream.

    A stream that breaks off ends with an error event, without a finish reason and without `[DONE]`.
    """

    ticket: Ticket
    chunks: Chunks
    tally: Tally

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        """Send the events as they come, or stop with the client's connection."""
        async with _served(self.ticket, receive), aclosing(self._frames()) as frames:
            started = False
            try:
                async for frame in frames:
                    if not started:
                        headers = _headers(b"text/event-stream; charset=utf-8")
                        await send({"type": "http.response.start", "status": 200, "headers": headers})
                        started = True
                    await send({"type": "http.response.body", "body": frame, "more_body": True})
            except GlasnostError as error:
                if not started:
                    raise
                frame = encode(dumps(error_body(error)))
                await send({"type": "http.response.body", "body": frame, "more_body": True})
            await send({"type": "http.response.body", "body": b""})

    async def _frames(self) -> AsyncGenerator[bytes]:
        opened = False
        while not self.tally.complete:
            chunks: list[Chunk] = []
            events = await self.ticket.events(KEEP_ALIVE_AFTER)
            for event in events:
                if isinstance(event, Failure):
                    if chunks:
                        yield _encoded(chunks)
                    raise event.error
                if not opened:
                    chunks, opened = self.chunks.opening(), True
                chunks += self.chunks.add(event)
            if chunks or not events:
                yield _encoded(chunks) if chunks else KEEP_ALIVE
        yield _encoded(self.chunks.closing()) + DONE


def _encoded(chunks: Iterable[Chunk]) -> bytes:
    return b"".join(encode(dumps(chunk)) for chunk in chunks)


async def _send_json(send: Send, value: dict[str, Any]) -> None:
    body = dumps(value)
    await send({"type": "http.response.start", "status": 200, "headers": _headers(b"application/json", len(body))})
    await send({"type": "http.response.body", "body": body})


def _headers(media: bytes, length: int | None = None) -> list[tuple[bytes, bytes]]:
    if length is not None:
        return [(b"content-type", media), (b"content-length", b"%d" % length)]
    return [(b"content-type", media), (b"cache-control", b"no-cache"), (b"x-accel-buffering", b"no")]


@asynccontextmanager
async def _served(ticket: Ticket, receive: Receive) -> AsyncIterator[None]:
    """Free what the request holds at the end of the block, and as soon as the client leaves."""

    async def watch() -> None:
        await _left(receive)
        ticket.cancel()
        ticket.put(Failure(ClientGone()))

    watcher = asyncio.create_task(watch())
    try:
        with ticket, suppress(ClientGone):
            yield
    finally:
        watcher.cancel()
        await asyncio.gather(watcher, return_exceptions=True)


async def _left(receive: Receive) -> None:
    """Wait until the client leaves: the body was read, what is received now can only be the disconnect."""
    while (await receive())["type"] != "http.disconnect":
        pass
