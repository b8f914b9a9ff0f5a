"""Rungs as metrics: what came of each, and the tokens that it took; reroutes, failovers and races told apart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import product
from typing import Any

from prometheus_client import Counter, Histogram

from glasnost.policy.label import Action
from glasnost.record.exchange import FIRST, Attempt, Exchange
from glasnost.record.metrics import DURATION, Metrics, preset

RESULTS = ("served", "also_flagged", "failed", "outrun")
PURPOSES = ("client", "reroute")


class RungMetrics:
    """Counts the attempts of an exchange by the rung that they were."""

    def __init__(self, metrics: Metrics) -> None:
        registry = metrics.registry
        self.reroutes = Counter(
            "glasnost_reroutes_total",
            "Answers of another rung, by what became of them.",
            ("from_model", "to_model", "result"),
            registry=registry,
        )
        self.reroute_duration = Histogram(
            "glasnost_reroute_duration_seconds",
            "Length of the calls of other rungs that came to their end.",
            ("to_model",),
            buckets=DURATION,
            registry=registry,
        )
        self.failovers = Counter(
            "glasnost_failovers_total",
            "Requests taken over by another model because no upstream of the asked one answered.",
            ("from_model", "to_model"),
            registry=registry,
        )
        self.races = Counter(
            "glasnost_races_total",
            "Races that one side ended by passing first.",
            ("model", "won_by"),
            registry=registry,
        )
        self.tokens = Counter(
            "glasnost_tokens_total",
            "Tokens by the model that read or wrote them.",
            ("model", "direction", "purpose", "source"),
            registry=registry,
        )

    def expect(self, models: Mapping[str, Iterable[str]]) -> None:
        """Start the series of every model, with those that it may be rerouted to, at 0."""
        for model, targets in models.items():
            preset(self.reroutes, product([model], targets, RESULTS))
            preset(self.reroute_duration, ((target,) for target in targets))
            preset(self.failovers, product([model], [target for target in targets if target != model]))
            preset(self.races, product([model], ["asked", "rival"]))
            preset(self.tokens, product([model], ["input", "output"], ["client"], ["upstream", "estimated"]))

    def closed(self, exchange: Exchange) -> None:
        """Count every attempt."""
        outrun = [attempt for attempt in exchange.attempts if attempt.outcome == "outrun"]
        for attempt in outrun:
            self.races.labels(exchange.model, "asked" if attempt.rung != FIRST else "rival").inc()
        rerouting = bool(outrun)
        for attempt in exchange.attempts:
            self._count_tokens(attempt)
            if attempt.purpose == "answer" and attempt.rung != FIRST:
                self._count_rung(exchange, attempt, rerouting=rerouting)
            rerouting |= attempt.verdict is not None and attempt.verdict.action is Action.REROUTE

    def _count_rung(self, exchange: Exchange, attempt: Attempt, *, rerouting: bool) -> None:
        """Count a rung as what it was: an answer to a censored one, or one in place of a failed upstream's."""
        if rerouting:
            self.reroutes.labels(exchange.model, attempt.model, _result(attempt)).inc()
            if attempt.outcome != "outrun":
                self.reroute_duration.labels(attempt.model).observe(attempt.seconds)
        else:
            self.failovers.labels(exchange.model, attempt.model).inc()

    def _count_tokens(self, attempt: Attempt) -> None:
        self._add(attempt.model, "client" if attempt.rung == FIRST else "reroute", attempt.usage or {})
        for each in attempt.consulted:
            self._add(each.model, "judge", each.usage or {})

    def _add(self, model: str, purpose: str, usage: Mapping[str, Any]) -> None:
        source = "estimated" if usage.get("estimated") else "upstream"
        for direction, field in (("input", "prompt_tokens"), ("output", "completion_tokens")):
            count = usage.get(field)
            if isinstance(count, int) and count > 0:
                self.tokens.labels(model, direction, purpose, source).inc(count)


def _result(attempt: Attempt) -> str:
    if attempt.outcome == "outrun":
        return "outrun"
    if attempt.verdict is None:
        return "failed"
    return "also_flagged" if attempt.verdict.censored else "served"
