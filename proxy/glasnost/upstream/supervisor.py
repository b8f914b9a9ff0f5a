"""Keeps one engine process: start on demand, readiness, restart with back-off, idle unload, end with us."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import structlog

from glasnost.errors import UpstreamUnavailable
from glasnost.upstream.backoff import Backoff
from glasnost.upstream.process import Child

START_POLL_SECONDS = 0.05
POLL_SECONDS = 2.0

Probe = Callable[[], Awaitable[Mapping[str, Any] | None]]
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Plan:
    """How an engine is run: `idle_seconds` None never unloads; silent for `hung_seconds`, it is ended and restarted."""

    command: Sequence[str]
    start_seconds: float
    idle_seconds: float | None = None
    pinned: bool = False
    hung_seconds: float = 60.0


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
    """Runs `plan.command` while somebody needs it; `probe` gives the engine's figures once it is ready, else None."""

    def __init__(self, name: str, plan: Plan, probe: Probe, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._name = name
        self._plan = plan
        self._probe = probe
        self._clock = clock
        self._backoff = Backoff()
        self._failure: str | None = None
        self._life: Life | None = None
        self._settled = asyncio.Event()
        self._wanted = asyncio.Event()
        self._keeping: asyncio.Task[None] | None = None
        self._child: Child | None = None
        self._closed = False
        self._in_use = 0
        self._used_at = clock()
        self.pid: int | None = None
        self.load_seconds: float | None = None
        self.restarts = 0
        self.stats: Mapping[str, Any] = {}

    @property
    def loaded(self) -> bool:
        """Say whether the engine is up and its model is loaded."""
        return self._life is not None

    def ready(self) -> bool:
        """Say whether a request would be served now, or after a start on demand."""
        return not self._closed and self._failure is None and (self.loaded or not self._plan.pinned)

    def start(self) -> None:
        """Begin to load a pinned engine; returns at once."""
        if self._plan.pinned:
            self._want()

    @asynccontextmanager
    async def lease(self) -> AsyncIterator[Life]:
        """Hold the engine in use; waits for a start, and raises UpstreamUnavailable when there will be none soon."""
        self._in_use += 1
        try:
            yield await self._up()
        finally:
            self._in_use -= 1
            self._used_at = self._clock()

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
            self._failure = None
            await self._settle()
        if self._life is None:
            raise self._unavailable(self._failure or "is still starting", self._backoff.remaining(self._clock()))
        return self._life

    async def _settle(self) -> None:
        """Wait until a start has succeeded or failed, but no longer than a start may take."""
        if self._closed:
            raise self._unavailable("is shutting down", 1.0)
        self._want()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._settled.wait(), self._plan.start_seconds)

    async def _keep(self) -> None:
        """Go through one life of the engine after another."""
        while True:
            await self._wanted.wait()
            await asyncio.sleep(self._backoff.remaining(self._clock()))
            child: Child | None = None
            try:
                child = self._child = await Child.spawn(self._name, self._plan.command)
                self.pid = child.pid
                await self._until_ready(child)
                await self._live(child)
            except (OSError, _Failed) as error:
                self._fail(str(error))
            finally:
                self.pid = None
                if child is not None:
                    await child.stop()
                    self._child = None

    async def _until_ready(self, child: Child) -> None:
        began = self._clock()
        while (stats := await self._probe()) is None:
            if child.ended.done():
                raise _Failed(f"did not start: it {child.last_words()}")
            if self._clock() - began > self._plan.start_seconds:
                raise _Failed(f"was not ready within {self._plan.start_seconds:g} s")
            await asyncio.wait({child.ended}, timeout=START_POLL_SECONDS)
        self.stats = stats
        self.load_seconds = self._clock() - began
        _log.info("engine ready", upstream=self._name, pid=child.pid, seconds=round(self.load_seconds, 2))

    async def _live(self, child: Child) -> None:
        """Serve until the engine ends by itself, hangs, or is not needed any more."""
        since = self._used_at = self._clock()
        self._failure = None
        life = self._life = Life()
        self._settled.set()
        try:
            crashed = await self._watch(child)
        finally:
            self._life = None
            self._settled.clear()
            life.end()
            self.stats = {}
        if crashed:
            self.restarts += 1
            self._backoff = self._backoff.failed(self._clock(), up_seconds=self._clock() - since)
            _log.error("engine ended by itself", upstream=self._name, how=child.last_words())
        else:
            self._wanted.clear()
            _log.info("engine unloaded", upstream=self._name)

    async def _watch(self, child: Child) -> bool:
        """Return True when the engine ended or hangs, False when nobody used it for long enough."""
        answered_at = self._clock()
        while True:
            await asyncio.wait({child.ended}, timeout=min(POLL_SECONDS, (self._plan.idle_seconds or POLL_SECONDS) / 2))
            if child.ended.done():
                return True
            stats = await self._probe()
            now = self._clock()
            if stats is not None:
                self.stats, answered_at = stats, now
            elif now - answered_at > self._plan.hung_seconds:
                return True
            if self._idle(now):
                return False

    def _idle(self, now: float) -> bool:
        limit = self._plan.idle_seconds
        return limit is not None and not self._plan.pinned and not self._in_use and now - self._used_at >= limit

    def _fail(self, why: str) -> None:
        """Tell everybody who waits for this start; only a pinned engine is tried again without being asked."""
        _log.error("engine failed to start", upstream=self._name, why=why)
        self._backoff = self._backoff.failed(self._clock())
        self._failure = why
        if not self._plan.pinned:
            self._wanted.clear()
        self._settled.set()
        self._settled = asyncio.Event()

    def _unavailable(self, why: str, pause: float) -> UpstreamUnavailable:
        # What the engine printed is for the log: a client sees the first line only.
        first = why.splitlines()[0]
        return UpstreamUnavailable(f"The engine {self._name!r} {first}.", retry_after=max(1, math.ceil(pause)))


class _Failed(Exception):
    """A start did not succeed; says why."""
