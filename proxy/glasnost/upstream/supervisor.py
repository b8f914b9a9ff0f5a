"""Keeps one engine process: start on demand, readiness, restart with back-off, idle unload, end with us."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, Protocol

import structlog

from glasnost.errors import ModelFileError, UpstreamUnavailable
from glasnost.upstream.backoff import Backoff
from glasnost.upstream.process import Child
from glasnost.upstream.room import RETRY_SECONDS, NoRoom

START_POLL_SECONDS = 0.05
POLL_SECONDS = 2.0

Probe = Callable[[], Awaitable[Mapping[str, Any] | None]]
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Keeping:
    """How an engine is kept: `idle_seconds` None never unloads; silent for `hung_seconds`, it is replaced."""

    start_seconds: float
    idle_seconds: float | None = None
    pinned: bool = False
    hung_seconds: float = 60.0


class Place(Protocol):
    """Where an engine may live: asked before every start, told after every end."""

    async def enter(self) -> Sequence[str]:
        """Make room and give the command to run; raises NoRoom, or ModelFileError for a file that cannot be served."""
        ...

    def leave(self) -> None:
        """Note that the engine is gone, or did not come."""
        ...


class Life:
    """One life of an engine, from ready to gone."""

    def __init__(self) -> None:
        self._over = asyncio.Event()

    def end(self) -> None:
        """Note that the engine is gone."""
        self._over.set()

    async def over(self, seconds: float) -> None:
        """Wait until it is noticed that the engine is gone, or for `seconds`."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._over.wait(), seconds)


class Supervisor:
    """Runs an engine while somebody needs it; `probe` gives the engine's figures once it is ready, else None."""

    def __init__(self, name: str, keeping: Keeping, place: Place, probe: Probe) -> None:
        self._name = name
        self._rules = keeping
        self._place = place
        self._probe = probe
        self._clock = time.monotonic
        self._backoff = Backoff()
        self._failure: str | None = None
        self._no_room: str | None = None
        self._life: Life | None = None
        self._settled = asyncio.Event()
        self._wanted = asyncio.Event()
        self._unwanted = asyncio.Event()
        self._gone = asyncio.Event()
        self._keeping: asyncio.Task[None] | None = None
        self._child: Child | None = None
        self._closed = False
        self._in_use = 0
        self.used_at = self._clock()
        self.pid: int | None = None
        self.load_seconds: float | None = None
        self.restarts = 0
        self.evictions = 0
        self.stats: Mapping[str, Any] = {}

    @property
    def loaded(self) -> bool:
        """Say whether the engine is up and its model is loaded."""
        return self._life is not None

    @property
    def evictable(self) -> bool:
        """Say whether it may be unloaded, or is being, and nobody uses it."""
        return (self.loaded or self._unwanted.is_set()) and not self._rules.pinned and not self._in_use

    def ready(self) -> bool:
        """Say whether a request would be served now, or after a start on demand."""
        return not self._closed and self._failure is None and (self.loaded or not self._rules.pinned)

    def start(self) -> None:
        """Begin to load a pinned engine; returns at once."""
        if self._rules.pinned:
            self._want()

    @asynccontextmanager
    async def lease(self) -> AsyncIterator[Life]:
        """Hold the engine in use; waits for a start, and raises UpstreamUnavailable when there will be none soon."""
        self._in_use += 1
        try:
            yield await self._up()
        finally:
            self._in_use -= 1
            self.used_at = self._clock()

    async def unload(self) -> None:
        """Stop an engine that nobody uses, and return when it is gone; who asks for it from now on gets a new one."""
        if self.loaded:
            self.evictions += 1
            self._let_go()
        await self._gone.wait()

    async def aclose(self) -> None:
        """Stop the engine for good."""
        self._closed = True
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.wait({self._keeping})
        if self._child is not None:
            await self._child.stop()  # it was being stopped already, and the cancellation broke that off

    def _want(self) -> None:
        self._wanted.set()
        if self._keeping is None:
            self._keeping = asyncio.create_task(self._keep())

    async def _up(self) -> Life:
        pause = self._backoff.remaining(self._clock())
        if self._failure is not None and pause > 0:
            raise self._unavailable(self._failure, pause)
        if self._life is None:
            self._failure = self._no_room = None
            await self._settle()
        if self._life is None and self._no_room is not None:
            raise self._unavailable(self._no_room, RETRY_SECONDS)
        if self._life is None:
            raise self._unavailable(self._failure or "is still starting", self._backoff.remaining(self._clock()))
        return self._life

    async def _settle(self) -> None:
        """Wait until a start has succeeded or failed, but no longer than a start may take."""
        if self._closed:
            raise self._unavailable("is shutting down", 1.0)
        self._want()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._settled.wait(), self._rules.start_seconds)

    async def _keep(self) -> None:
        """Go through one life of the engine after another."""
        while True:
            await self._wanted.wait()
            await asyncio.sleep(self._backoff.remaining(self._clock()))
            try:
                await self._live_once(await self._place.enter())
            except NoRoom as error:
                self._turn_away(str(error))
            except ModelFileError as error:
                self._fail(f"did not start: {error}")
            except (OSError, _Failed) as error:
                self._fail(str(error))
            finally:
                self._place.leave()
                self._gone.set()

    async def _live_once(self, command: Sequence[str]) -> None:
        self._gone.clear()
        self._unwanted.clear()
        child = self._child = await Child.spawn(self._name, command)
        self.pid = child.pid
        try:
            await self._until_ready(child)
            await self._live(child)
        finally:
            self.pid = None
            await child.stop()
            self._child = None

    async def _until_ready(self, child: Child) -> None:
        began = self._clock()
        while (stats := await self._probe()) is None:
            if child.ended.done():
                raise _Failed(f"did not start: it {child.last_words()}")
            if self._clock() - began > self._rules.start_seconds:
                raise _Failed(f"was not ready within {self._rules.start_seconds:g} s")
            await asyncio.wait({child.ended}, timeout=START_POLL_SECONDS)
        self.stats = stats
        self.load_seconds = self._clock() - began
        _log.info("engine ready", upstream=self._name, pid=child.pid, seconds=round(self.load_seconds, 2))

    async def _live(self, child: Child) -> None:
        """Serve until the engine ends by itself, hangs, or is not needed any more."""
        since = self.used_at = self._clock()
        self._failure = None
        self._life = Life()
        self._settled.set()
        try:
            crashed = await self._watch(child)
        finally:
            self._end_life()
        if crashed:
            self.restarts += 1
            self._backoff = self._backoff.failed(self._clock(), up_seconds=self._clock() - since)
            _log.error("engine ended by itself", upstream=self._name, how=child.last_words())
        else:
            _log.info("engine unloaded", upstream=self._name)

    def _let_go(self) -> None:
        """Begin to unload: from this moment on nobody is served by this life."""
        self._wanted.clear()
        self._unwanted.set()
        self._end_life()

    def _end_life(self) -> None:
        if self._life is not None:
            self._life.end()
            self._life = None
            self._settled.clear()
            self.stats = {}

    async def _watch(self, child: Child) -> bool:
        """Return True when the engine ended or hangs, False when it is to be unloaded."""
        answered_at = self._clock()
        pause = min(POLL_SECONDS, (self._rules.idle_seconds or POLL_SECONDS) / 2)
        while True:
            await self._pause(child, pause)
            if self._unwanted.is_set():
                return False
            if child.ended.done():
                return True
            stats = await self._probe()
            now = self._clock()
            if self._unwanted.is_set():
                return False
            if stats is not None:
                self.stats, answered_at = stats, now
            elif now - answered_at > self._rules.hung_seconds:
                return True
            if self._idle(now):
                self._let_go()
                return False

    async def _pause(self, child: Child, seconds: float) -> None:
        """Wait for the end of the engine or of the wish for it, but no longer than `seconds`."""
        unwanted = asyncio.create_task(self._unwanted.wait())
        try:
            await asyncio.wait({child.ended, unwanted}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            unwanted.cancel()

    def _idle(self, now: float) -> bool:
        limit = self._rules.idle_seconds
        return limit is not None and not self._rules.pinned and not self._in_use and now - self.used_at >= limit

    def _turn_away(self, why: str) -> None:
        """Tell everybody who waits for this start; nothing is wrong with the engine, and the next may ask at once."""
        _log.warning("no room for an engine", upstream=self._name, why=why)
        self._no_room = why
        self._give_up()

    def _fail(self, why: str) -> None:
        """Tell everybody who waits for this start; only a pinned engine is tried again without being asked."""
        _log.error("engine failed to start", upstream=self._name, why=why)
        self._backoff = self._backoff.failed(self._clock())
        self._failure = why
        self._give_up()

    def _give_up(self) -> None:
        if not self._rules.pinned:
            self._wanted.clear()
        self._settled.set()
        self._settled = asyncio.Event()

    def _unavailable(self, why: str, pause: float) -> UpstreamUnavailable:
        # What the engine printed is for the log: a client sees the first line only.
        first = why.splitlines()[0]
        return UpstreamUnavailable(f"The engine {self._name!r} {first}.", retry_after=max(1, math.ceil(pause)))


class _Failed(Exception):
    """A start did not succeed; says why."""
