"""What judged an answer, as metrics: which detector found something, and who was asked for a second opinion."""

from __future__ import annotations

from itertools import product

from prometheus_client import CollectorRegistry, Counter, Histogram

from glasnost.record.exchange import Attempt
from glasnost.record.metrics import preset

JUDGED = ("ok", "malformed", "timeout", "error", "over_budget", "cached")
RUNS = ("hit", "miss", "timeout", "error")


class OpinionMetrics:
    """Counts what came of judging one answer; `duration` takes the seconds of who was asked, by its name as a stage."""

    def __init__(self, registry: CollectorRegistry, duration: Histogram) -> None:
        self._duration = duration
        self.detectors = Counter(
            "glasnost_audit_detector_runs_total",
            "Answers by the detector that named them; of the semantic tier also those that it did not.",
            ("detector", "result"),
            registry=registry,
        )
        self.judge = Counter(
            "glasnost_judge_requests_total",
            "Questions to the judge, by what came of them.",
            ("result",),
            registry=registry,
        )
        preset(self.judge, [(result,) for result in JUDGED])
        preset(self.detectors, product(("semantic",), RUNS))

    def count(self, attempt: Attempt) -> None:
        """Count one answer."""
        verdict = attempt.verdict
        if verdict is not None and verdict.detector not in ("none", "semantic", "judge"):
            self.detectors.labels(verdict.detector, "hit").inc()
        for each in attempt.consulted:
            if each.seconds:
                self._duration.labels(each.source).observe(each.seconds)
            if each.source == "judge":
                self.judge.labels(each.result).inc()
            else:
                self.detectors.labels("semantic", each.result if each.result in RUNS else "error").inc()
