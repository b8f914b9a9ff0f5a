"""The recorders of the gateway as one."""

from __future__ import annotations

from collections.abc import Awaitable

from glasnost.record.exchange import Done, Exchange, Recorder
from glasnost.record.exchange_metrics import ExchangeMetrics
from glasnost.record.quotas import Quotas


class Recorders:
    """The ledger, whose word counts, and what sees every end whatever becomes of its record: metrics and quotas."""

    def __init__(self, ledger: Recorder | None, metrics: ExchangeMetrics, quotas: Quotas) -> None:
        self._ledger = ledger
        self._metrics = metrics
        self._quotas = quotas

    def opened(self, exchange: Exchange) -> Awaitable[None]:
        """Hand over the beginning of an exchange."""
        return self._ledger.opened(exchange) if self._ledger else Done()

    def closed(self, exchange: Exchange) -> Awaitable[None]:
        """Hand over its end."""
        self._metrics.closed(exchange)
        self._quotas.spend(exchange)
        return self._ledger.closed(exchange) if self._ledger else Done()
