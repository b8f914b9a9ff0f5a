"""What each key has used of its limits, in this process or in a Redis that all gateways share.

Rules kept here:
- requests are counted when they come, tokens when they are known: a key may overdraw by what it has under way;
- windows slide, by the counter of the `limits` library; a limit on tokens is looked at and not spent at the door;
- a store that cannot be reached lets requests pass, and is counted: limits guard costs, and must not stop the service.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Iterator
from typing import Any

import structlog
from limits import RateLimitItem, RateLimitItemPerDay, RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage, RedisStorage, Storage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from prometheus_client import Counter

from glasnost.config import KeySettings
from glasnost.errors import RateLimited
from glasnost.record.exchange import Exchange
from glasnost.record.metrics import Metrics

log = structlog.get_logger()

REQUESTS, TOKENS, REROUTED = "requests", "tokens", "rerouted"


class Quotas:
    """The use of all keys; `redis_url` None counts in memory."""

    def __init__(self, metrics: Metrics, redis_url: str | None = None) -> None:
        self._pool = _pool(redis_url) if redis_url is not None else None
        # Asked for only with a store: Redis' client takes longer to import than the rest of the gateway's own modules.
        self._store_errors = _store_errors() if redis_url is not None else ()
        self._windows = SlidingWindowCounterRateLimiter(_storage(redis_url, self._pool))
        self._spending: set[asyncio.Task[None]] = set()
        self._errors = Counter(
            "glasnost_limit_store_errors_total", "Counts of limits that were lost.", registry=metrics.registry
        )

    async def admit(self, key: KeySettings) -> None:
        """Count a request of this key; raises RateLimited where it has used up what it may."""
        limits = key.limits
        try:
            for what, item in _tokens(key):
                stats = await self._windows.get_window_stats(item, key.id, what)
                if stats.remaining <= 0:
                    raise _limited(f"{item.amount} tokens a {_unit(item)}", stats.reset_time)
            if limits.requests_per_minute:
                item = RateLimitItemPerMinute(limits.requests_per_minute)
                if not await self._windows.hit(item, key.id, REQUESTS):
                    stats = await self._windows.get_window_stats(item, key.id, REQUESTS)
                    raise _limited(f"{item.amount} requests a minute", stats.reset_time)
        except self._store_errors:
            self._lost("admit")

    async def may_reroute(self, key: KeySettings) -> bool:
        """Say whether this key has rerouted tokens left."""
        limit = key.limits.rerouted_tokens_per_day
        if limit is None:
            return True
        try:
            stats = await self._windows.get_window_stats(RateLimitItemPerDay(limit), key.id, REROUTED)
        except self._store_errors:
            self._lost("may_reroute")
            return True
        return stats.remaining > 0

    def spend(self, exchange: Exchange) -> None:
        """Count the tokens of an exchange that is over, beside what goes on."""
        key = exchange.key
        if key is None or not (used := _used(exchange)):
            return
        task = asyncio.ensure_future(self._spend(key, used))
        self._spending.add(task)
        task.add_done_callback(self._spending.discard)

    async def aclose(self) -> None:
        """Wait for what is being counted, and close the connections of the store."""
        await asyncio.gather(*self._spending, return_exceptions=True)
        if self._pool is not None:
            await self._pool.aclose()

    async def _spend(self, key: KeySettings, used: dict[str, int]) -> None:
        rerouted = key.limits.rerouted_tokens_per_day
        items = [*_tokens(key), *([(REROUTED, RateLimitItemPerDay(rerouted))] if rerouted else [])]
        try:
            for what, item in items:
                tokens = used.get(REROUTED if what == REROUTED else TOKENS, 0)
                # A hit that does not fit is refused whole: what is left is used up then.
                left = (await self._windows.get_window_stats(item, key.id, what)).remaining
                if cost := min(tokens, left):
                    await self._windows.hit(item, key.id, what, cost=cost)
        except self._store_errors:
            self._lost("spend")

    def _lost(self, what: str) -> None:
        self._errors.inc()
        log.warning("limit_store_unreachable", during=what)


def _tokens(key: KeySettings) -> Iterator[tuple[str, RateLimitItem]]:
    if key.limits.tokens_per_minute:
        yield f"{TOKENS}-minute", RateLimitItemPerMinute(key.limits.tokens_per_minute)
    if key.limits.tokens_per_day:
        yield f"{TOKENS}-day", RateLimitItemPerDay(key.limits.tokens_per_day)


def _used(exchange: Exchange) -> dict[str, int]:
    used = {TOKENS: 0, REROUTED: 0}
    for number, attempt in enumerate(exchange.attempts):
        usage = attempt.usage or {}
        tokens = sum(int(usage.get(name) or 0) for name in ("prompt_tokens", "completion_tokens"))
        used[TOKENS] += tokens
        used[REROUTED] += tokens if number else 0
    return {what: tokens for what, tokens in used.items() if tokens}


def _limited(limit: str, reset: float) -> RateLimited:
    wait = max(1, math.ceil(reset - time.time()))
    return RateLimited(f"This key may use {limit}, and has; try again in {wait} s.", retry_after=wait)


def _unit(item: RateLimitItem) -> str:
    return item.GRANULARITY.name


def _pool(redis_url: str) -> Any:
    from redis.asyncio import ConnectionPool  # noqa: PLC0415 - an extra

    # Waiting long for a store would cost more than it guards.
    return ConnectionPool.from_url(redis_url, socket_timeout=0.5, socket_connect_timeout=0.5)


def _storage(redis_url: str | None, pool: Any) -> Storage:
    if redis_url is None:
        return MemoryStorage()
    return RedisStorage("async+redis://", implementation="redispy", key_prefix="glasnost", connection_pool=pool)


def _store_errors() -> tuple[type[Exception], ...]:
    from redis.exceptions import RedisError  # noqa: PLC0415 - an extra

    return (OSError, TimeoutError, RedisError)
