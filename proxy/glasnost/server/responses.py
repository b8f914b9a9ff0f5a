"""JSON and server-sent event responses over plain ASGI messages."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from starlette.types import Send

from glasnost.wire import jsonio, sse

_STREAM_HEADERS = {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-cache",
    "x-accel-buffering": "no",
}


async def send_json(send: Send, body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
    """Send a whole JSON response."""
    data = jsonio.dumps(body)
    fields = {"content-type": "application/json", "content-length": str(len(data)), **(headers or {})}
    await _start(send, status, fields)
    await send({"type": "http.response.body", "body": data})


class EventStream:
    """A stream that starts with its first event, so that an error before it can still be a plain HTTP error."""

    def __init__(self, send: Send, headers: Callable[[], Mapping[str, str]]) -> None:
        """Take `headers` as a function: it is asked when the first byte leaves, and then knows the most."""
        self._send = send
        self._headers = headers
        self._lock = asyncio.Lock()
        self._last = 0.0
        self.started = False

    async def write(self, frames: bytes) -> None:
        """Send framed events; none at all are no beginning either."""
        if frames:
            await self._write(frames)

    async def close(self, frames: bytes) -> None:
        """End the stream with these events."""
        await self._write(frames, more=False)

    async def keep_alive(self, seconds: float) -> None:
        """Send a comment whenever nothing else was sent for so long; runs until it is cancelled."""
        clock = asyncio.get_running_loop().time
        self._last = clock()
        while True:
            await asyncio.sleep(max(0.0, self._last + seconds - clock()))
            if clock() >= self._last + seconds:
                await self._write(sse.KEEP_ALIVE)

    async def _write(self, data: bytes, *, more: bool = True) -> None:
        async with self._lock:
            if not self.started:
                self.started = True
                await _start(self._send, 200, {**_STREAM_HEADERS, **self._headers()})
            await self._send({"type": "http.response.body", "body": data, "more_body": more})
            self._last = asyncio.get_running_loop().time()


async def _start(send: Send, status: int, headers: Mapping[str, str]) -> None:
    fields = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": fields})
