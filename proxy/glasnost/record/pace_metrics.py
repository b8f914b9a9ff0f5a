"""Size and pace as metrics: tokens of a request, seconds for each of an answer, and what the gateway itself took."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Histogram

from glasnost.record.exchange import FIRST, Attempt, Exchange
from glasnost.record.metrics import FINE, preset

#: Those of OpenTelemetry's gen_ai.server.time_per_output_token, and two below them.
PER_TOKEN = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5)
COUNTS = tuple(4**power for power in range(11))

_FIELDS = {"input": "prompt_tokens", "output": "completion_tokens"}


class PaceMetrics:
    """Measures exchanges and the answers in them."""

    def __init__(self, registry: CollectorRegistry, endpoints: Iterable[str]) -> None:
        self._overhead = Histogram(
            "glasnost_overhead_seconds",
            "What an exchange took beyond its upstream calls.",
            ("endpoint",),
            buckets=FINE,
            registry=registry,
        )
        self._per_token = Histogram(
            "glasnost_time_per_output_token_seconds",
            "Seconds for each token of a streamed answer after its first.",
            ("model",),
            buckets=PER_TOKEN,
            registry=registry,
        )
        self._tokens = Histogram(
            "glasnost_request_tokens",
            "Tokens of what was asked, and of the asked model's answer.",
            ("direction",),
            buckets=COUNTS,
            registry=registry,
        )
        preset(self._overhead, ((endpoint,) for endpoint in endpoints))
        preset(self._tokens, ((direction,) for direction in _FIELDS))

    def expect(self, models: Iterable[str]) -> None:
        """Start the series of these models."""
        preset(self._per_token, ((model,) for model in models))

    def closed(self, exchange: Exchange) -> None:
        """Measure one exchange.

        Where calls ran side by side, as in a race, their seconds say nothing of what came beside them: no overhead
        is taken from such an exchange.
        """
        called = [attempt for attempt in exchange.attempts if attempt.upstream]
        overhead = exchange.seconds - sum(attempt.seconds for attempt in called)
        if called and overhead >= 0 and all(attempt.outcome != "outrun" for attempt in called):
            self._overhead.labels(exchange.endpoint).observe(overhead)
        for attempt in called:
            self._measure(attempt)

    def _measure(self, attempt: Attempt) -> None:
        usage = attempt.usage or {}
        if attempt.rung == FIRST and attempt.purpose == "answer":
            for direction, field in _FIELDS.items():
                if isinstance(usage.get(field), int):
                    self._tokens.labels(direction).observe(usage[field])
        written = usage.get("completion_tokens")
        if attempt.first_token is None or usage.get("estimated") or not isinstance(written, int):
            return
        # An answer in one piece shows its first token with its last.
        if attempt.seconds > attempt.first_token and written > 1:
            self._per_token.labels(attempt.model).observe((attempt.seconds - attempt.first_token) / (written - 1))
