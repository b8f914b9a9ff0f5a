"""The HTTP server, stopped in steps: uvicorn alone would close its listener at the first signal.

1. SIGTERM or SIGINT: `/readyz` says 503, and the listener goes on accepting, since a load balancer learns it only
   at its next probe;
2. after `drain_min_seconds` the listener is closed, and what runs may end by itself;
3. after `drain_seconds` in all, or at a second signal, what still runs is ended with an error.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Coroutine
from types import FrameType
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from glasnost.config import ServerSettings
from glasnost.server.drain import Drain

#: What is broken off has this long to send its error and to be recorded.
LAST_WORDS_SECONDS = 5


def listener_of(settings: ServerSettings) -> socket.socket:
    """Open the socket that several processes are to listen on; ends the process where that cannot be."""
    return uvicorn.Config("", host=settings.host, port=settings.port, log_config=None).bind_socket()


class Gateway(uvicorn.Server):
    """Serves one application until a signal comes."""

    def __init__(
        self, app: ASGIApp, settings: ServerSettings, drain: Drain, beside: Callable[[], Coroutine[Any, Any, None]]
    ) -> None:
        """Take `beside`, which runs from the start of serving to its end."""
        config = uvicorn.Config(
            app,
            host=settings.host,
            port=settings.port,
            loop="uvloop",
            http="httptools",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=int(settings.drain_seconds) + LAST_WORDS_SECONDS,
        )
        super().__init__(config)
        self._settings = settings
        self._drain = drain
        self._beside = beside
        self._background: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override] # only handed on
        """Start, and note the loop that signals must wake."""
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)  # type: ignore[arg-type]
        self._background = asyncio.create_task(self._beside())

    async def shutdown(self, sockets: list[object] | None = None) -> None:  # type: ignore[override] # only handed on
        """Stop what ran beside, then the server."""
        if self._background is not None:
            self._background.cancel()
        await super().shutdown(sockets)  # type: ignore[arg-type]

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to stop; a second signal breaks off what runs. Not yet started, the process just ends."""
        if self._loop is None or not self.started:
            super().handle_exit(sig, frame)
        else:
            self._loop.call_soon_threadsafe(self._stop)

    def _stop(self) -> None:
        loop = asyncio.get_running_loop()
        if self._drain.begun:
            self._drain.break_off()
            self._close()
            return
        self._drain.begin()
        loop.call_later(self._settings.drain_min_seconds, self._close)
        loop.call_later(self._settings.drain_seconds, self._drain.break_off)

    def _close(self) -> None:
        self.should_exit = True
