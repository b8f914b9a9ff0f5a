"""Upstream calls as metrics: how they ended, how long they took, and in which phase one was too slow."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product
from typing import get_args

from prometheus_client import CollectorRegistry, Counter, Histogram

from glasnost.errors import TimeoutPhase, UpstreamRejected, UpstreamTimeout, UpstreamUnavailable
from glasnost.record.exchange import Attempt
from glasnost.record.metrics import DURATION, preset

OUTCOMES = ("ok", "http_4xx", "http_429", "http_5xx", "unavailable", "timeout", "cancelled", "error")


class UpstreamMetrics:
    """Counts the calls of each upstream."""

    def __init__(self, registry: CollectorRegistry, upstreams: Iterable[str]) -> None:
        names = tuple(upstreams)
        self._requests = Counter(
            "glasnost_upstream_requests_total", "Upstream calls.", ("upstream", "outcome"), registry=registry
        )
        self._duration = Histogram(
            "glasnost_upstream_request_duration_seconds",
            "Length of upstream calls.",
            ("upstream",),
            buckets=DURATION,
            registry=registry,
        )
        self._timeouts = Counter(
            "glasnost_upstream_timeouts_total",
            "Upstream calls that were too slow, by the phase that was.",
            ("upstream", "phase"),
            registry=registry,
        )
        preset(self._requests, product(names, OUTCOMES))
        preset(self._duration, ((name,) for name in names))
        preset(self._timeouts, product(names, get_args(TimeoutPhase)))

    def count(self, attempt: Attempt) -> None:
        """Count one call; an answer that was given elsewhere has no upstream and is none."""
        if not attempt.upstream:
            return
        self._requests.labels(attempt.upstream, outcome_of(attempt)).inc()
        self._duration.labels(attempt.upstream).observe(attempt.seconds)
        if isinstance(attempt.error, UpstreamTimeout):
            self._timeouts.labels(attempt.upstream, attempt.error.phase).inc()


def outcome_of(attempt: Attempt) -> str:
    """Give how a call ended, as one of OUTCOMES."""
    error = attempt.error
    if error is None:
        return "cancelled" if attempt.outcome in ("cancelled", "outrun") else "ok"
    if isinstance(error, UpstreamTimeout):
        return "timeout"
    if isinstance(error, UpstreamUnavailable):
        return "unavailable"
    if isinstance(error, UpstreamRejected):
        return "http_429" if error.status == 429 else f"http_{error.status // 100}xx"
    return "error"
