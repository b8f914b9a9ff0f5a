"""How upstreams stand and the counts of retries and ejections, read when Prometheus asks for them."""

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

    @property
    def ejections(self) -> Mapping[str, int]:
        """Ejections by upstream."""
        ...

    def in_flight(self) -> Mapping[str, int]:
        """Give the requests that each upstream has to answer."""
        ...

    def states(self) -> Mapping[str, str]:
        """Give the state of every circuit, by the upstream's name."""
        ...


class FailoverCollector(Collector):
    """Collects the state of circuits, requests in flight, retries and ejections of every upstream."""

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
        in_flight = GaugeMetricFamily(
            "glasnost_upstream_in_flight", "Requests that this upstream has to answer.", labels=("upstream",)
        )
        ejections = CounterMetricFamily(
            "glasnost_upstream_ejections", "Times that an upstream was ejected as an outlier.", labels=("upstream",)
        )
        counted, asked = self._facts.retries, self._facts.in_flight()
        for upstream, state in self._facts.states().items():
            for each in STATES:
                circuits.add_metric((upstream, each), float(each == state))
            in_flight.add_metric((upstream,), asked.get(upstream, 0))
            ejections.add_metric((upstream,), self._facts.ejections.get(upstream, 0))
            for result in RESULTS:
                retries.add_metric((upstream, result), counted.get((upstream, result), 0))
        return (circuits, retries, in_flight, ejections)
