"""What is looked up rather than counted, kept up to date for the other workers, of which any may be scraped."""

from __future__ import annotations

import asyncio

from glasnost.record.metrics import Metrics

INTERVAL_SECONDS = 0.5


async def keep_looking(metrics: Metrics) -> None:
    """Look, until cancelled."""
    while True:
        metrics.look()
        await asyncio.sleep(INTERVAL_SECONDS)
