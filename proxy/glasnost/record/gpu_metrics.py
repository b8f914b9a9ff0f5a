"""The memory of this machine's GPUs, asked when Prometheus does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from glasnost.engine.devices import Gpu
from glasnost.record.metrics import Metrics


def watch_gpus(metrics: Metrics, read: Callable[[], Sequence[Gpu]]) -> None:
    """Collect `glasnost_gpu_memory_*` from now on, if `read` finds a GPU; the label is its number among those seen."""
    try:
        found = read()
    except OSError:  # none, or none that can be asked: who needs one is told by its engine
        return
    if found:
        metrics.registry.register(_Gpus(read))


class _Gpus(Collector):
    def __init__(self, read: Callable[[], Sequence[Gpu]]) -> None:
        self._read = read

    def collect(self) -> Iterable[Metric]:
        used = GaugeMetricFamily("glasnost_gpu_memory_used_bytes", "Memory in use, by anybody.", labels=("gpu",))
        total = GaugeMetricFamily("glasnost_gpu_memory_total_bytes", "Memory that there is.", labels=("gpu",))
        try:
            for number, gpu in enumerate(self._read()):
                used.add_metric((str(number),), gpu.total - gpu.free)
                total.add_metric((str(number),), gpu.total)
        except OSError:  # a driver that fails must not take the other metrics along: these series end
            pass
        return (used, total)
