"""Metrics as a contract: what is exposed is what is documented, and exchanges are counted as what they were."""

import re
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from glasnost.audit.verdict import Verdict
from glasnost.engine.devices import Gpu
from glasnost.errors import (
    AuditFailed,
    GlasnostError,
    UpstreamError,
    UpstreamRejected,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from glasnost.policy.label import Action, Label
from glasnost.policy.policy import Policy
from glasnost.record.engine_metrics import EngineCollector
from glasnost.record.exchange import Attempt, Consultation, Exchange
from glasnost.record.exchange_metrics import ExchangeMetrics
from glasnost.record.failover_metrics import FailoverMetrics
from glasnost.record.gpu_metrics import watch_gpus
from glasnost.record.ledger_metrics import LedgerMetrics
from glasnost.record.metrics import PHASES, Metrics
from glasnost.record.quotas import Quotas
from glasnost.record.reload_metrics import ReloadMetrics

ROOT = Path(__file__).parents[2]
TOPIC = "prc.tiananmen-1989"


class Engine:
    """What a supervisor shows of an engine."""

    loaded = True
    load_seconds = 1.5
    restarts = 2
    evictions = 1
    stats: ClassVar = {"kv_used": 256, "kv_size": 1024, "queued": 3, "queue_limit": 64}


@pytest.fixture
def metrics():
    return Metrics(CollectorRegistry(), "1.2.3")


@pytest.fixture
def recorder(metrics):
    return ExchangeMetrics(metrics, {"asked": ["asked", "other"], "other": []}, [TOPIC], ["one", "two"])


def value(metrics, name, **labels):
    return metrics.registry.get_sample_value(name, labels)


def verdict(label, action=Action.PASS, topics=(TOPIC,)):
    return Verdict(label, 0.9, topics, (), "hash", "none", action)


def exchange(*attempts, **fields):
    given = {
        "id": "gx",
        "model": "asked",
        "mode": "hold",
        "policy_hash": "hash",
        "outcome": "served",
        "verdict": attempts[0].verdict,
        "topics": (TOPIC,),
        "action": Action.PASS,
        "served_by": "asked",
        "seconds": 1.0,
        **fields,
    }
    return Exchange(attempts=attempts, **given)


class Circuits:
    """What a failover knows of one upstream."""

    retries: ClassVar = {("one", "sent"): 4}
    ejections: ClassVar = {"one": 2}

    def in_flight(self):
        return {"one": 3}

    def states(self):
        return {"one": "open"}


@pytest.fixture
def exposed(metrics, recorder):  # noqa: ARG001 - what the recorder registers is exposed too
    """Give every family before the first request, as (name, type, labels)."""
    EngineCollector(metrics, {"one": Engine()})
    watch_gpus(metrics, lambda: [Gpu(free=1, total=2)])
    FailoverMetrics(metrics, Circuits())
    LedgerMetrics(metrics)
    Quotas(metrics)
    ReloadMetrics(metrics).took({("prc",): Policy(())})
    families = [
        family
        for family in text_string_to_metric_families(generate_latest(metrics.registry).decode())
        if not family.name.endswith("_created")  # the server switches these off
    ]
    unset = [family.name for family in families if not family.samples]
    assert not unset, "a series that appears with its first increment is invisible to a rate"
    return {
        family.name + ("_total" if family.type == "counter" else ""): (family.type, labels_of(family))
        for family in families
    }


def labels_of(family):
    return sorted({label for sample in family.samples for label in sample.labels} - {"le"})


def test_every_documented_family_is_exposed_and_every_exposed_one_documented(exposed):
    table = (ROOT / "docs" / "metrics.md").read_text().split("Questions they answer")[0]
    assert exposed.keys() == set(re.findall(r"`(glasnost_\w+)`", table))


def test_no_name_type_or_label_changes_unannounced(exposed):
    """Who means to change one announces it in CHANGELOG.md, in docs/metrics.md and in the golden list."""
    lines = [f"{name} {kind} {','.join(labels)}".rstrip() for name, (kind, labels) in sorted(exposed.items())]
    assert lines == (ROOT / "tests" / "golden" / "metrics.txt").read_text().splitlines()


def test_a_reroute_is_counted_by_the_pair_of_models_and_by_what_came_of_it(metrics, recorder):
    first = Attempt("first", "asked", "one", "answered", 1.0, verdict=verdict(Label.REFUSAL, Action.REROUTE))
    again = Attempt("reframe", "asked", "one", "answered", 1.0, verdict=verdict(Label.EVASION, Action.REROUTE))
    failed = Attempt("model", "other", "two", "failed", 1.0, error=UpstreamUnavailable("gone"))
    recorder.closed(exchange(first, again, failed, action=Action.FLAG))
    name = "glasnost_reroutes_total"
    assert value(metrics, name, from_model="asked", to_model="asked", result="also_flagged") == 1
    assert value(metrics, name, from_model="asked", to_model="other", result="failed") == 1
    assert value(metrics, name, from_model="asked", to_model="other", result="served") == 0
    assert value(metrics, "glasnost_actions_total", policy="prc", action="flag") == 1


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (None, "ok"),
        (UpstreamTimeout("slow", phase="ttft"), "timeout"),
        (UpstreamUnavailable("gone"), "unavailable"),
        (UpstreamRejected("busy", status=429), "http_429"),
        (UpstreamRejected("bad", status=400), "http_4xx"),
        (UpstreamRejected("down", status=503), "http_5xx"),
        (UpstreamError("odd"), "error"),
        (GlasnostError("ours"), "error"),
    ],
)
def test_an_attempt_is_counted_by_how_it_ended(metrics, recorder, error, outcome):
    attempt = Attempt("first", "asked", "one", "failed" if error else "answered", 0.2, error=error)
    recorder.closed(exchange(attempt, outcome="failed" if error else "served"))
    assert value(metrics, "glasnost_upstream_requests_total", upstream="one", outcome=outcome) == 1


def test_an_audit_that_fails_after_text_left_breaks_the_promise_of_zero(metrics, recorder):
    attempt = Attempt("first", "asked", "one", "failed", 0.2, error=AuditFailed("no"))
    recorder.closed(exchange(attempt, outcome="failed", released=0))
    assert value(metrics, "glasnost_unaudited_responses_total", reason="auditor_error") == 0
    recorder.closed(exchange(attempt, outcome="failed", released=12))
    assert value(metrics, "glasnost_unaudited_responses_total", reason="auditor_error") == 1


def test_a_client_that_left_is_no_action(metrics, recorder):
    attempt = Attempt("first", "asked", "one", "cancelled", 0.2)
    told = replace(attempt, first_token=0.1)
    recorder.closed(exchange(told, outcome="client_disconnected", released=5))
    recorder.closed(exchange(told, outcome="client_disconnected"))
    recorder.closed(exchange(attempt, outcome="client_disconnected"))
    for phase in PHASES:
        assert value(metrics, "glasnost_client_disconnects_total", phase=phase) == 1
    assert value(metrics, "glasnost_actions_total", policy="prc", action="pass") == 0
    assert value(metrics, "glasnost_upstream_requests_total", upstream="one", outcome="cancelled") == 3


def test_second_opinions_are_counted_with_their_tokens_and_detectors_by_what_they_found(metrics, recorder):
    asked = (
        Consultation("semantic", "m", "miss", 0.4),
        Consultation("semantic", "m", "other_model", 0.1),
        Consultation("judge", "referee", "ok", 1.5, {"prompt_tokens": 300, "completion_tokens": 12}),
        Consultation("judge", "referee", "cached", 0.0),
    )
    settled = Attempt("first", "asked", "one", "answered", 0.2, verdict=verdict(Label.EVASION), consulted=asked)
    canned = replace(verdict(Label.REFUSAL), detector="canned")
    recorder.closed(exchange(settled, Attempt("reframe", "asked", "one", "answered", 0.2, verdict=canned)))
    assert value(metrics, "glasnost_judge_requests_total", result="ok") == 1
    assert value(metrics, "glasnost_judge_requests_total", result="cached") == 1
    tokens = {"model": "referee", "purpose": "judge", "source": "upstream"}
    assert value(metrics, "glasnost_tokens_total", direction="input", **tokens) == 300
    assert value(metrics, "glasnost_tokens_total", direction="output", **tokens) == 12
    runs = {("semantic", "miss"): 1, ("semantic", "error"): 1, ("semantic", "hit"): 0, ("canned", "hit"): 1}
    for (detector, result), count in runs.items():
        assert value(metrics, "glasnost_audit_detector_runs_total", detector=detector, result=result) == count
    assert value(metrics, "glasnost_audit_duration_seconds_count", stage="judge") == 1


def test_engines_show_their_state_when_they_are_asked(metrics):
    EngineCollector(metrics, {"one": Engine()})
    assert value(metrics, "glasnost_local_kv_cache_usage_ratio", upstream="one") == 0.25
    assert value(metrics, "glasnost_local_worker_restarts_total", upstream="one") == 2
    assert value(metrics, "glasnost_local_evictions_total", upstream="one") == 1
    assert value(metrics, "glasnost_queue_depth", upstream="one") == 3


def test_a_model_that_takes_over_from_a_failed_one_is_no_reroute(metrics, recorder):
    first = Attempt("first", "asked", "one", "failed", 1.0, error=UpstreamUnavailable("gone"))
    other = Attempt("model", "other", "two", "answered", 1.0, verdict=verdict(Label.COMPLETE, Action.PASS))
    recorder.closed(exchange(first, other, action=Action.REROUTE))
    assert value(metrics, "glasnost_failovers_total", from_model="asked", to_model="other") == 1
    assert value(metrics, "glasnost_reroutes_total", from_model="asked", to_model="other", result="served") == 0


def test_circuits_retries_and_what_is_under_way_show_when_they_are_asked(metrics):
    FailoverMetrics(metrics, Circuits())
    LedgerMetrics(metrics)
    assert value(metrics, "glasnost_circuit_state", upstream="one", state="open") == 1
    assert value(metrics, "glasnost_circuit_state", upstream="one", state="closed") == 0
    assert value(metrics, "glasnost_upstream_in_flight", upstream="one") == 3
    assert value(metrics, "glasnost_upstream_ejections_total", upstream="one") == 2
    assert value(metrics, "glasnost_upstream_retries_total", upstream="one", result="sent") == 4
    assert value(metrics, "glasnost_upstream_retries_total", upstream="one", result="budget_exhausted") == 0


def test_a_timeout_is_counted_by_its_phase(metrics, recorder):
    attempt = Attempt("first", "asked", "one", "failed", 0.2, error=UpstreamTimeout("slow", phase="ttft"))
    recorder.closed(exchange(attempt, outcome="failed"))
    name = "glasnost_upstream_timeouts_total"
    assert value(metrics, name, upstream="one", phase="ttft") == 1
    assert value(metrics, name, upstream="one", phase="idle") == 0


def test_overhead_is_what_an_exchange_took_beyond_its_calls_and_is_not_taken_from_a_race(metrics, recorder):
    first = Attempt("first", "asked", "one", "answered", 0.5, verdict=verdict(Label.REFUSAL, Action.REROUTE))
    again = Attempt("model", "other", "two", "answered", 0.25, verdict=verdict(Label.COMPLETE))
    outrun = replace(again, outcome="outrun", verdict=None)
    recorder.closed(exchange(first, again, seconds=1.0))
    recorder.closed(exchange(outrun, first, seconds=1.0))  # side by side: their sum is no time that passed
    recorder.closed(exchange(first, again, seconds=0.6))
    recorder.closed(exchange(replace(first, upstream=""), seconds=0.1))  # given elsewhere
    assert value(metrics, "glasnost_overhead_seconds_sum", endpoint="chat") == 0.25
    assert value(metrics, "glasnost_overhead_seconds_count", endpoint="chat") == 1
    assert value(metrics, "glasnost_overhead_seconds_count", endpoint="messages") == 0


def test_the_length_of_a_reroute_is_that_of_the_rung_unless_it_was_outrun(metrics, recorder):
    first = Attempt("first", "asked", "one", "answered", 0.5, verdict=verdict(Label.REFUSAL, Action.REROUTE))
    other = Attempt("model", "other", "two", "answered", 0.25, verdict=verdict(Label.COMPLETE))
    recorder.closed(exchange(first, other))
    recorder.closed(exchange(first, replace(other, outcome="outrun", verdict=None)))
    assert value(metrics, "glasnost_reroute_duration_seconds_sum", to_model="other") == 0.25
    assert value(metrics, "glasnost_reroute_duration_seconds_count", to_model="other") == 1


def test_the_pace_of_an_answer_is_taken_where_it_was_streamed_and_counted(metrics, recorder):
    usage = {"prompt_tokens": 40, "completion_tokens": 11}
    streamed = Attempt("first", "asked", "one", "answered", 2.5, first_token=0.5, usage=usage)
    whole = replace(streamed, first_token=2.5)
    guessed = replace(streamed, usage={**usage, "estimated": True})
    short = replace(streamed, usage={**usage, "completion_tokens": 1})
    for attempt in (streamed, whole, guessed, short, replace(streamed, usage=None), replace(streamed, rung="reframe")):
        recorder.closed(exchange(attempt))
    name = "glasnost_time_per_output_token_seconds"
    assert value(metrics, f"{name}_count", model="asked") == 2
    assert value(metrics, f"{name}_sum", model="asked") == pytest.approx(0.4)
    assert value(metrics, "glasnost_request_tokens_count", direction="input") == 4
    assert value(metrics, "glasnost_request_tokens_sum", direction="output") == 34


def test_a_driver_that_fails_takes_no_other_metric_along(metrics):
    told = [Gpu(free=1, total=3)]

    def read():
        if not told:
            raise OSError("the driver is gone")
        return told

    watch_gpus(metrics, read)
    assert value(metrics, "glasnost_gpu_memory_used_bytes", gpu="0") == 2
    told.clear()
    assert value(metrics, "glasnost_gpu_memory_used_bytes", gpu="0") is None
    assert value(metrics, "glasnost_ready") == 0


def test_without_a_gpu_there_are_no_such_series(metrics):
    watch_gpus(metrics, list)
    assert "glasnost_gpu" not in generate_latest(metrics.registry).decode()
