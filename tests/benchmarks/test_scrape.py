"""What a scrape costs with 50 models and 20 topics."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest
from prometheus_client import CollectorRegistry, disable_created_metrics
from prometheus_client.exposition import choose_encoder
from pytest_benchmark.fixture import BenchmarkFixture

from glasnost.record.exchange_metrics import ExchangeMetrics
from glasnost.record.metrics import Metrics

MODELS = tuple(f"model-{number}" for number in range(50))
TOPICS = tuple(f"prc.topic-{number}" for number in range(20))
FORMATS = {"text": "", "openmetrics": "application/openmetrics-text;version=1.0.0"}


def filled() -> tuple[Metrics, Callable[[], None]]:
    """Give metrics whose series are all there, and what changes a part of them, as between two scrapes."""
    disable_created_metrics()  # type: ignore[no-untyped-call]  # as the gateway does
    metrics = Metrics(CollectorRegistry(), "1.2.3")
    targets = {name: [name, MODELS[(number + 1) % len(MODELS)]] for number, name in enumerate(MODELS)}
    counted = ExchangeMetrics(metrics, targets, TOPICS, ["upstream"])

    def change() -> None:
        for model in MODELS[:25]:
            counted.first_token.labels("chat", model, "client").observe(0.2)
            for topic in TOPICS:
                for label in ("complete", "refusal", "evasion", "propaganda", "omission"):
                    counted.audits.labels(model, topic, label, "unary").inc()

    return metrics, change


@pytest.mark.parametrize("accept", FORMATS.values(), ids=FORMATS)
@pytest.mark.parametrize("by", ["library", "ours"])
def test_a_scrape(benchmark: BenchmarkFixture, by: str, accept: str) -> None:
    metrics, change = filled()
    encode, _ = choose_encoder(accept)

    def scrape() -> bytes:
        return encode(metrics.registry) if by == "library" else metrics.write(accept)[0]

    change()
    lines = scrape().count(b"\n")
    benchmark.extra_info = {"lines": lines, "load": os.getloadavg()[0]}
    benchmark.pedantic(scrape, setup=change, rounds=20)
    assert lines > 10_000
