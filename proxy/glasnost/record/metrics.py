"""The gateway's own metrics; label values come from the configuration and from closed sets, never from a client."""

from __future__ import annotations

import platform
from collections.abc import Iterable
from itertools import product

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from glasnost.record.exposition import Exposition

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

    def __init__(self, registry: CollectorRegistry, version: str, revision: str = "") -> None:
        self.registry = registry
        self.exposition = Exposition(registry)
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
            "glasnost_requests_in_flight", "Requests being served.", ("endpoint",), registry=registry
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
        self.ready = Gauge("glasnost_ready", "1 while /readyz says 200.", registry=registry)
        self.draining = Gauge("glasnost_draining", "1 from the signal to stop on.", registry=registry)
        self.loop_lag = Histogram(
            "glasnost_event_loop_lag_seconds",
            "By how much the event loop is late with what is due.",
            buckets=FINE,
            registry=registry,
        )
        build = Gauge("glasnost_build_info", "Always 1.", ("version", "revision", "python"), registry=registry)
        build.labels(version, revision, platform.python_version()).set(1)
        preset(self.rejections, [(reason,) for reason in REJECTIONS])
        preset(self.disconnects, [(phase,) for phase in PHASES])
        preset(self.unaudited, [("auditor_error",)])
        for endpoint in ENDPOINTS:
            self.in_flight.labels(endpoint)
        # Every code of every model would be thousands of series; these are what anybody can make appear.
        preset(self.requests, product(ENDPOINTS, [UNRESOLVED], ["200", "400", "401", "404"], ["true", "false"]))
        preset(self.request_duration, product(ENDPOINTS, ["true", "false"]))


def preset(family: Counter | Histogram, label_sets: Iterable[tuple[str, ...]]) -> None:
    """Start every known series at 0, so that a rate over its first increment is seen."""
    for values in label_sets:
        family.labels(*values)
