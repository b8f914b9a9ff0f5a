"""Exchanges as metrics: verdicts, actions, reroutes, first tokens and the time that judging took."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import product

from prometheus_client import Counter, Histogram

from glasnost.errors import AuditFailed
from glasnost.policy.label import Action, Label
from glasnost.record.exchange import Attempt, Done, Exchange
from glasnost.record.metrics import ANSWERING, FINE, Metrics, preset
from glasnost.record.opinion_metrics import OpinionMetrics
from glasnost.record.pace_metrics import PaceMetrics
from glasnost.record.rung_metrics import RungMetrics
from glasnost.record.upstream_metrics import UpstreamMetrics

NO_TOPIC = "none"

_FIRST_TOKEN = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80, 160)


class ExchangeMetrics:
    """A recorder that turns exchanges into metrics."""

    def __init__(
        self, metrics: Metrics, models: Mapping[str, Iterable[str]], topics: Iterable[str], upstreams: Iterable[str]
    ) -> None:
        """Take every model with the models that it may be rerouted to, and all ids that can become a label."""
        registry = metrics.registry
        self._metrics = metrics
        self.first_token = Histogram(
            "glasnost_time_to_first_token_seconds",
            "To the first text of an upstream, and to the first that left for the client.",
            ("endpoint", "model", "vantage"),
            buckets=_FIRST_TOKEN,
            registry=registry,
        )
        self.audits = Counter(
            "glasnost_audits_total",
            "Verdicts on answers, by the model that gave the answer.",
            ("model", "topic", "label", "mode"),
            registry=registry,
        )
        self.audit_duration = Histogram(
            "glasnost_audit_duration_seconds",
            "Time spent judging one answer.",
            ("stage",),
            buckets=FINE,
            registry=registry,
        )
        self.opinions = OpinionMetrics(registry, self.audit_duration)
        self.actions = Counter(
            "glasnost_actions_total", "What was done about exchanges.", ("policy", "action"), registry=registry
        )
        self.late = Counter(
            "glasnost_late_verdicts_total",
            "Answers that turned out censored when some of them had left, by what was done.",
            ("model", "after_release"),
            registry=registry,
        )
        self._rungs = RungMetrics(metrics)
        self._upstreams = UpstreamMetrics(registry, upstreams)
        self._pace = PaceMetrics(registry, ANSWERING)
        preset(self.audit_duration, [("total",), ("semantic",), ("judge",)])
        self.expect(models, topics)

    def expect(self, models: Mapping[str, Iterable[str]], topics: Iterable[str]) -> None:
        """Start the series of these models and topics at 0; a reload may bring new ones."""
        self._topics = frozenset(topics)
        self._rungs.expect(models)
        self._pace.expect(models)
        preset(self._metrics.requests, product(["chat"], models, ["200", "502", "503", "504"], ["true", "false"]))
        preset(self.first_token, product(["chat"], models, ["upstream", "client"]))
        preset(self.audits, product(models, [NO_TOPIC, *self._topics], [label.value for label in Label], ["unary"]))
        packs = sorted({NO_TOPIC} | {_pack(topic) for topic in self._topics})
        preset(self.actions, product(packs, [action.value for action in Action]))
        preset(self.late, product(models, ["flag", "stop", "amend"]))

    def opened(self, exchange: Exchange) -> Done:  # noqa: ARG002 - nothing is counted before the outcome is known
        """Count nothing yet."""
        return Done()

    def closed(self, exchange: Exchange) -> Done:
        """Count the exchange and every attempt of it."""
        packs = {_pack(topic) for topic in exchange.topics if topic in self._topics} or {NO_TOPIC}
        if exchange.outcome in ("served", "blocked"):
            for pack in packs:
                self.actions.labels(pack, exchange.action.value).inc()
        if exchange.after_release is not None:
            self.late.labels(exchange.model, exchange.after_release).inc()
        if exchange.outcome == "client_disconnected":
            self._metrics.disconnects.labels(_phase(exchange)).inc()
        if exchange.first_token is not None:
            self.first_token.labels(exchange.endpoint, exchange.model, "client").observe(exchange.first_token)
        if exchange.released and any(isinstance(attempt.error, AuditFailed) for attempt in exchange.attempts):
            self._metrics.unaudited.labels("auditor_error").inc()
        for attempt in exchange.attempts:
            self._attempt(exchange, attempt)
        self._rungs.closed(exchange)
        self._pace.closed(exchange)
        return Done()

    def _attempt(self, exchange: Exchange, attempt: Attempt) -> None:
        self.opinions.count(attempt)
        self._upstreams.count(attempt)
        if attempt.first_token is not None:
            self.first_token.labels(exchange.endpoint, attempt.model, "upstream").observe(attempt.first_token)
        if attempt.verdict is not None:
            self.audit_duration.labels("total").observe(attempt.audit_seconds)
            for topic in attempt.verdict.topics or (NO_TOPIC,):
                label = attempt.verdict.label.value
                self.audits.labels(attempt.model, topic, label, exchange.mode).inc()


def _phase(exchange: Exchange) -> str:
    """Say how far an exchange had come when its client left."""
    if exchange.released:
        return "streaming"
    held = any(attempt.first_token is not None for attempt in exchange.attempts)
    return "auditing" if held else "before_first_token"


def _pack(topic: str) -> str:
    """Give the pack of a topic id: what stands before its first dot."""
    return topic.partition(".")[0]
