"""One watcher for every request: when the client leaves, the work for it is cancelled.

Starlette cancels neither a handler that has not begun to answer nor the wait for a first token.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from starlette.types import Receive

from glasnost.errors import Stopping
from glasnost.server.drain import Drain


class ClientDisconnected(Exception):
    """The client left; there is nobody to answer."""


async def until_disconnect(receive: Receive, work: Coroutine[Any, Any, None], drain: Drain) -> None:
    """Run `work` to its end, or cancel it and raise ClientDisconnected when the client leaves first.

    Raises Stopping when it is ended because this process is. The request's body must have been read: what is received
    from then on can only be the disconnect.
    """
    task = asyncio.ensure_future(work)
    drain.watch(task)
    watcher = asyncio.ensure_future(_gone(receive))
    try:
        await asyncio.wait({task, watcher}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise ClientDisconnected
        if task.cancelled() and drain.broken_off:
            raise Stopping
        await task
    finally:
        watcher.cancel()
        task.cancel()
        # Both are waited for, so that an upstream's connection is closed before this request is over.
        await asyncio.gather(task, watcher, return_exceptions=True)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
