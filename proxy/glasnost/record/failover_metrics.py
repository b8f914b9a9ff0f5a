"""How upstreams stand and the counts of retries and ejections, read when Prometheus asks for them."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Mapping
from itertools import product
from typing import Any, Protocol

from prometheus_client import Counter, Gauge

from glasnost.record.metrics import Metrics, preset

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


class FailoverMetrics:
    """The state of circuits, requests in flight, retries and ejections of every upstream."""

    def __init__(self, metrics: Metrics, facts: FailoverFacts) -> None:
        self._facts = facts
        registry = metrics.registry
        self._circuits = Gauge(
            "glasnost_circuit_state",
            "1 for the state that an upstream's circuit is in.",
            ("upstream", "state"),
            multiprocess_mode="livemax",
            registry=registry,
        )
        self._in_flight = Gauge(
            "glasnost_upstream_in_flight",
            "Requests that this upstream has to answer.",
            ("upstream",),
            multiprocess_mode="livesum",
            registry=registry,
        )
        self._retries = _Growing(
            Counter(
                "glasnost_upstream_retries_total",
                "Retries after a failure, at this upstream.",
                ("upstream", "result"),
                registry=registry,
            )
        )
        self._ejections = _Growing(
            Counter(
                "glasnost_upstream_ejections_total",
                "Times that an upstream was ejected as an outlier.",
                ("upstream",),
                registry=registry,
            )
        )
        preset(self._retries.counter, product(facts.states(), RESULTS))
        preset(self._ejections.counter, ((upstream,) for upstream in facts.states()))
        metrics.readings["failover"] = self._read
        self._read()

    def _read(self) -> None:
        asked = self._facts.in_flight()
        for upstream, state in self._facts.states().items():
            for each in STATES:
                self._circuits.labels(upstream, each).set(float(each == state))
            self._in_flight.labels(upstream).set(asked.get(upstream, 0))
        self._retries.reach(self._facts.retries)
        self._ejections.reach({(upstream,): times for upstream, times in self._facts.ejections.items()})


class _Growing:
    """A counter of what is counted elsewhere: it takes what has come since it looked last."""

    def __init__(self, counter: Counter) -> None:
        self.counter = counter
        self._last: Tally[tuple[str, ...]] = Tally()

    def reach(self, now: Mapping[Any, int]) -> None:
        for label_values, more in (Tally(now) - self._last).items():
            self.counter.labels(*label_values).inc(more)
        self._last = Tally(now)
