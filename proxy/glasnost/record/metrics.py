"""The gateway's own metrics; label values come from the configuration and from closed sets, never from a client."""

from __future__ import annotations

import platform
import threading
from collections.abc import Callable, Iterable
from itertools import product

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from glasnost.record.exposition import Exposition, Read

UNRESOLVED = "unresolved"
#: Paths where a model answers, and all that a request is counted under.
ANSWERING = ("chat", "completions", "responses", "messages")
ENDPOINTS = (*ANSWERING, "embeddings", "audits", "models", "other")

#: `auditing`: text had come and was held.
PHASES = ("before_first_token", "auditing", "streaming")
REJECTIONS = (
    "queue_full",
    "overloaded",
    "auth",
    "rate_limit",
    "body_too_large",
    "bad_host",
    "timeout",
    "audit_unavailable",
    "draining",
)

FINE = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
DURATION = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)


class Metrics:
    """Every family of the gateway; one instance per process, made by the composition root."""

    def __init__(
        self, registry: CollectorRegistry, version: str, revision: str = "", *, read: Read | None = None
    ) -> None:
        """Take `read` where processes share the numbers, and any of them may be asked."""
        self.registry = registry
        self.shared = read is not None
        self._exposition = Exposition(registry, read)
        #: What is looked up rather than counted, by what it is about.
        self.readings: dict[str, Callable[[], None]] = {}
        self._reading = threading.Lock()
        self.requests = Counter(
            "glasnost_requests_total",
            "Client requests, counted when the last byte has left.",
            ("endpoint", "model", "code", "stream"),
            registry=registry,
        )
        self.request_duration = Histogram(
            "glasnost_request_duration_seconds",
            "From the first byte of a request to the last of its answer.",
            ("endpoint", "stream"),
            buckets=DURATION,
            registry=registry,
        )
        self.in_flight = Gauge(
            "glasnost_requests_in_flight",
            "Requests being served.",
            ("endpoint",),
            multiprocess_mode="livesum",
            registry=registry,
        )
        self.rejections = Counter(
            "glasnost_rejections_total", "Requests turned away by the gateway.", ("reason",), registry=registry
        )
        self.disconnects = Counter(
            "glasnost_client_disconnects_total", "Clients that left early.", ("phase",), registry=registry
        )
        self.unaudited = Counter(
            "glasnost_unaudited_responses_total",
            "Answers of which something was served without a verdict; this must stay 0.",
            ("reason",),
            registry=registry,
        )
        self.ready = Gauge(
            "glasnost_ready", "1 while /readyz says 200.", multiprocess_mode="livemin", registry=registry
        )
        self.draining = Gauge(
            "glasnost_draining", "1 from the signal to stop on.", multiprocess_mode="livemax", registry=registry
        )
        self.loop_lag = Histogram(
            "glasnost_event_loop_lag_seconds",
            "By how much the event loop is late with what is due.",
            buckets=FINE,
            registry=registry,
        )
        build = Gauge(
            "glasnost_build_info",
            "Always 1.",
            ("version", "revision", "python"),
            multiprocess_mode="livemax",
            registry=registry,
        )
        build.labels(version, revision, platform.python_version()).set(1)
        preset(self.rejections, [(reason,) for reason in REJECTIONS])
        preset(self.disconnects, [(phase,) for phase in PHASES])
        preset(self.unaudited, [("auditor_error",)])
        for endpoint in ENDPOINTS:
            self.in_flight.labels(endpoint)
        # Every code of every model would be thousands of series; these are what anybody can make appear.
        preset(self.requests, product(ENDPOINTS, [UNRESOLVED], ["200", "400", "401", "404"], ["true", "false"]))
        preset(self.request_duration, product(ENDPOINTS, ["true", "false"]))

    def look(self) -> None:
        """Bring what is looked up up to date; may be called from any thread."""
        with self._reading:
            for reading in tuple(self.readings.values()):
                reading()

    def write(self, accept: str) -> tuple[bytes, str]:
        """Give all metrics in the format that an `Accept` header asks for, and its media type."""
        self.look()
        return self._exposition.write(accept)


def preset(family: Counter | Histogram, label_sets: Iterable[tuple[str, ...]]) -> None:
    """Start every known series at 0, so that a rate over its first increment is seen."""
    for values in label_sets:
        family.labels(*values)


def forget(family: Gauge, label_values: tuple[str, ...]) -> None:
    """Take a series away; where workers share their files, which know no end of a series, it stays at 0."""
    series = family.labels(*label_values)
    series.set(0)
    if not series._value._multiprocess:  # noqa: SLF001 - the library warns where it cannot, and does nothing
        family.remove(*label_values)
