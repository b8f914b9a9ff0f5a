"""The state of circuits and the count of retries, read when Prometheus asks for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from glasnost.record.metrics import Metrics

STATES = ("closed", "open", "half_open")
RESULTS = ("sent", "budget_exhausted")


class FailoverFacts(Protocol):
    """What a failover knows of its upstreams."""

    @property
    def retries(self) -> Mapping[tuple[str, str], int]:
        """Retries by upstream and result."""
        ...

    def states(self) -> Mapping[str, str]:
        """Give the state of every circuit, by the upstream's name."""
        ...


class FailoverCollector(Collector):
    """Collects `glasnost_circuit_state` and `glasnost_upstream_retries_total`."""

    def __init__(self, metrics: Metrics, facts: FailoverFacts) -> None:
        self._facts = facts
        metrics.registry.register(self)

    def collect(self) -> Iterable[Metric]:
        """Read every circuit once."""
        circuits = GaugeMetricFamily(
            "glasnost_circuit_state", "1 for the state that an upstream's circuit is in.", labels=("upstream", "state")
        )
        retries = CounterMetricFamily(
            "glasnost_upstream_retries", "Retries after a failure, at this upstream.", labels=("upstream", "result")
        )
        counted = self._facts.retries
        for upstream, state in self._facts.states().items():
            for each in STATES:
                circuits.add_metric((upstream, each), float(each == state))
            for result in RESULTS:
                retries.add_metric((upstream, result), counted.get((upstream, result), 0))
        return (circuits, retries)
