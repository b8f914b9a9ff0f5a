"""Waiting for chunks without missing the moment at which a hold has lasted long enough."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable

from glasnost.wire.answer import Chunk


async def patiently(chunks: AsyncGenerator[Chunk], due: Callable[[], float | None]) -> AsyncGenerator[Chunk | None]:
    """Give chunks as they come, and None whenever the seconds of `due` are over before the next one is there."""
    awaited: asyncio.Future[Chunk] | None = None
    try:
        while True:
            seconds = due()
            try:
                if awaited is None and seconds is None:
                    chunk = await anext(chunks)  # nothing to watch for: no task for this chunk
                else:
                    awaited = awaited or asyncio.ensure_future(anext(chunks))
                    await asyncio.wait({awaited}, timeout=None if seconds is None else max(0.0, seconds))
                    if not awaited.done():
                        yield None
                        continue
                    chunk, awaited = awaited.result(), None
            except StopAsyncIteration:
                return
            yield chunk
    finally:
        if awaited is not None:
            awaited.cancel()
            await asyncio.gather(awaited, return_exceptions=True)
