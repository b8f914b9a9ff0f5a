"""The recorders of the gateway as one."""

from __future__ import annotations

from collections.abc import Awaitable

from glasnost.record.exchange import Exchange, Recorder
from glasnost.record.exchange_metrics import ExchangeMetrics


class Recorders:
    """The ledger, whose word counts, and the metrics, which see every end whatever becomes of its record."""

    def __init__(self, ledger: Recorder, metrics: ExchangeMetrics) -> None:
        self._ledger = ledger
        self._metrics = metrics

    def opened(self, exchange: Exchange) -> Awaitable[None]:
        """Hand over the beginning of an exchange."""
        return self._ledger.opened(exchange)

    def closed(self, exchange: Exchange) -> Awaitable[None]:
        """Hand over its end."""
        self._metrics.closed(exchange)
        return self._ledger.closed(exchange)
