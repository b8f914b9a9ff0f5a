"""How late the event loop runs what is due: what keeps it from that, such as a slow pattern, keeps every request."""

from __future__ import annotations

import asyncio
import time

from prometheus_client import Histogram

INTERVAL_SECONDS = 0.25


async def watch_lag(lag: Histogram, interval: float = INTERVAL_SECONDS) -> None:
    """Measure, until cancelled, by how many seconds a sleep of `interval` seconds is late."""
    while True:
        due = time.perf_counter() + interval
        await asyncio.sleep(interval)
        lag.observe(max(0.0, time.perf_counter() - due))
