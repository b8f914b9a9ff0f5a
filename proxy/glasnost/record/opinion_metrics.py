"""Second opinions as metrics: who was asked, what came of it, and the tokens of the judge."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Histogram

from glasnost.record.exchange import Consultation
from glasnost.record.metrics import preset

JUDGED = ("complete", "censored", "unsure", "malformed", "late", "failed", "over_budget", "cached")
READ = ("read", "late", "failed", "not_known", "other_model")
TOKENS = ("prompt", "completion")


class OpinionMetrics:
    """Counts consultations; `duration` takes their seconds, by who was asked as its stage."""

    def __init__(self, registry: CollectorRegistry, duration: Histogram) -> None:
        self._duration = duration
        self.judge = Counter(
            "glasnost_judge_requests_total",
            "Questions to the judge, by what came of them.",
            ("result",),
            registry=registry,
        )
        self.tokens = Counter("glasnost_judge_tokens_total", "Tokens of the judge.", ("kind",), registry=registry)
        self.semantic = Counter(
            "glasnost_semantic_requests_total",
            "Answers given to the semantic tier, by what came of them.",
            ("result",),
            registry=registry,
        )
        preset(self.judge, [(result,) for result in JUDGED])
        preset(self.semantic, [(result,) for result in READ])
        preset(self.tokens, [(kind,) for kind in TOKENS])

    def count(self, consulted: Iterable[Consultation]) -> None:
        """Count what was asked about one answer."""
        for each in consulted:
            counter = self.judge if each.source == "judge" else self.semantic
            counter.labels(each.result).inc()
            if each.seconds:
                self._duration.labels(each.source).observe(each.seconds)
            for kind in TOKENS:
                tokens = (each.usage or {}).get(f"{kind}_tokens")
                if isinstance(tokens, int):
                    self.tokens.labels(kind).inc(tokens)
