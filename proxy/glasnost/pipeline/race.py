"""A race: an on-topic question asked of two models at once, of which the first answer that passes goes out.

Rules kept here:
- races keep to a share of the requests that could have one, and to a number a minute for each key;
- who loses is cancelled at once, before the winner's first text leaves, and its tokens are counted;
- a question that asks for harm is never raced: a careful refusal must not lose to a careless answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping
from typing import Any, Final, TypeVar

from glasnost.config import RaceSettings
from glasnost.pipeline.share import Share

T = TypeVar("T")
Key = tuple[str, str]
WINDOW = 60.0
# A connection is closed at once; one that hangs while it is closed must not keep the winner waiting.
STOP_SECONDS = 1.0
_OVER: Final = object()


class Races:
    """How many races there were lately, and whether there may be one more; shared by all exchanges of a process."""

    def __init__(self, settings: RaceSettings, clock: Callable[[], float]) -> None:
        self._settings = settings
        self._clock = clock
        self._all = Share(settings.share, 1, WINDOW)
        self._keys: dict[str, Share] = {}

    def start(self, key: str) -> bool:
        """Count a request that could have a race, and say whether it has one; `key` is the client's."""
        now = self._clock()
        own = self._keys.setdefault(key, Share(0.0, self._settings.per_key_per_minute, WINDOW))
        self._all.count(now)
        return own.left(now) and self._all.spend(now) and own.spend(now)


class Race:
    """One race between attempts that are named by their keys; the first to claim it stops the others."""

    def __init__(self, *keys: Key) -> None:
        self.keys = frozenset(keys)
        self.winner: Key | None = None
        self._running: dict[Key, asyncio.Future[Any]] = {}

    async def claim(self, key: Key) -> bool:
        """Say whether `key` has won; when it is the first to ask, the others have ended before this returns."""
        if self.winner is None:
            self.winner = key
            await self._stop([work for name, work in self._running.items() if name != key])
        return self.winner == key

    async def first_to_speak(self, contenders: Mapping[Key, AsyncGenerator[T]]) -> AsyncGenerator[T]:
        """Give what the generator of the winner gives; one that ends without a word leaves the race to the others."""
        pulls = {key: asyncio.ensure_future(_pull(each)) for key, each in contenders.items()}
        self._running = dict(pulls)
        try:
            async for key in self._as_they_end():
                first = pulls[key].result()
                if first is not _OVER:
                    yield first
                    async for item in contenders[key]:
                        yield item
                    return
        finally:
            await self._stop(pulls.values())
            for key, contender in contenders.items():
                if pulls[key].done():
                    await contender.aclose()

    async def as_they_come(self, works: Mapping[Key, Awaitable[T]]) -> AsyncGenerator[T]:
        """Give the results in the order in which they are there; closing this stops what is not."""
        tasks = {key: asyncio.ensure_future(work) for key, work in works.items()}
        self._running = dict(tasks)
        try:
            async for key in self._as_they_end():
                yield tasks[key].result()
        finally:
            await self._stop(tasks.values())

    async def _as_they_end(self) -> AsyncGenerator[Key]:
        """Name those that end by themselves."""
        while self._running:
            await asyncio.wait(self._running.values(), return_when=asyncio.FIRST_COMPLETED)
            for key in [key for key, work in self._running.items() if work.done()]:
                if not self._running.pop(key).cancelled():
                    yield key

    async def _stop(self, works: Iterable[asyncio.Future[Any]]) -> None:
        stopping = [work for work in works if not work.done()]
        for work in stopping:
            work.cancel()
        if stopping:
            await asyncio.wait(stopping, timeout=STOP_SECONDS)


async def _pull(contender: AsyncGenerator[T]) -> Any:
    return await anext(contender, _OVER)
