"""The state of local engines, read from their supervisors when Prometheus asks for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from glasnost.engine.waits import Waits
from glasnost.record.metrics import Metrics

_NO_WAITS = Waits().report()


class EngineFacts(Protocol):
    """What a supervisor knows of its engine; ratios are from 0 to 1."""

    @property
    def loaded(self) -> bool:
        """Whether the engine is up and its model is loaded."""
        ...

    @property
    def load_seconds(self) -> float | None:
        """How long the last load took."""
        ...

    @property
    def restarts(self) -> int:
        """How often the engine was started again after it ended by itself."""
        ...

    @property
    def evictions(self) -> int:
        """How often the engine was unloaded to make room for another."""
        ...

    @property
    def stats(self) -> Mapping[str, object]:
        """The engine's own figures: `kv_used`, `kv_size`, `queued`, `queue_limit`, `queue_wait` among others."""
        ...


class EngineCollector(Collector):
    """Collects the families `glasnost_local_*` and the queues; the label is the upstream's name."""

    def __init__(self, metrics: Metrics, engines: Mapping[str, EngineFacts]) -> None:
        self._engines = engines
        metrics.registry.register(self)

    def collect(self) -> Iterable[Metric]:
        """Read every engine once."""
        loaded = _gauge("glasnost_local_model_loaded", "1 while the engine is up.")
        seconds = _gauge("glasnost_local_model_load_duration_seconds", "Length of the last load.")
        usage = _gauge("glasnost_local_kv_cache_usage_ratio", "Share of KV cells in use.")
        depth = _gauge("glasnost_queue_depth", "Requests waiting for a slot.")
        limit = _gauge("glasnost_queue_limit", "Requests that may wait for a slot.")
        wait = HistogramMetricFamily("glasnost_queue_wait_seconds", "Waits for a slot.", labels=("upstream",))
        restarts = CounterMetricFamily("glasnost_local_worker_restarts", "Starts after a crash.", labels=("upstream",))
        evictions = CounterMetricFamily("glasnost_local_evictions", "Unloads for another's room.", labels=("upstream",))
        for name, facts in self._engines.items():
            loaded.add_metric((name,), float(facts.loaded))
            seconds.add_metric((name,), facts.load_seconds or 0.0)
            usage.add_metric((name,), _number(facts, "kv_used") / max(1.0, _number(facts, "kv_size")))
            depth.add_metric((name,), _number(facts, "queued"))
            limit.add_metric((name,), _number(facts, "queue_limit"))
            wait.add_metric((name,), *_waits(facts))
            restarts.add_metric((name,), facts.restarts)
            evictions.add_metric((name,), facts.evictions)
        return (loaded, seconds, usage, depth, limit, wait, restarts, evictions)


def _gauge(name: str, text: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, labels=("upstream",))


def _number(facts: EngineFacts, name: str) -> float:
    value = facts.stats.get(name, 0)
    return float(value) if isinstance(value, int | float) else 0.0


def _waits(facts: EngineFacts) -> tuple[list[tuple[str, float]], float]:
    """Give buckets and sum of the waits; an engine that has not told its own has counted none."""
    told: Any = facts.stats.get("queue_wait") or _NO_WAITS
    return list(told["buckets"].items()), told["sum"]
