"""CPU, memory and files of all worker processes together, in the names that Prometheus has for those of one."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from prometheus_client import (
    GC_COLLECTOR,
    PLATFORM_COLLECTOR,
    PROCESS_COLLECTOR,
    CollectorRegistry,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

#: A process started when its first part did, and has the limits of any.
_SMALLEST = ("process_start_time_seconds", "process_max_fds")


def new_registry(*, shared: bool) -> CollectorRegistry:
    """Give a registry that tells of this process or, `shared`, of all workers, of whose garbage it says nothing."""
    disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series beside every one, which nobody needs
    registry = CollectorRegistry()
    for collector in (PLATFORM_COLLECTOR, *((Processes(),) if shared else (PROCESS_COLLECTOR, GC_COLLECTOR))):
        registry.register(collector)
    return registry


class Processes(Collector):
    """What the workers and the process that watches over them use; to be asked in a worker."""

    def collect(self) -> Iterable[Metric]:
        """Read /proc; the CPU seconds of workers that are gone stay counted."""
        watcher = os.getppid()
        found: dict[str, Metric] = {}
        for pid in (watcher, *_children(watcher)):
            for metric in _collector(pid).collect():
                if metric.name not in found:
                    found[metric.name] = metric
                else:
                    _join(found[metric.name], metric)
        cpu = found.get("process_cpu_seconds")
        if cpu is not None:
            [sample] = cpu.samples
            cpu.samples = [sample._replace(value=sample.value + _waited_for(watcher))]
        return found.values()


def _collector(pid: int) -> ProcessCollector:
    return ProcessCollector(pid=lambda: pid, registry=None)


def _join(all_of_them: Metric, one: Metric) -> None:
    [first], [second] = all_of_them.samples, one.samples
    joined = min if one.name in _SMALLEST else _sum
    all_of_them.samples = [first._replace(value=joined(first.value, second.value))]


def _sum(one: float, other: float) -> float:
    return one + other


def _children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]
    except OSError:
        return [os.getpid()]


def _waited_for(pid: int) -> float:
    """Give the CPU seconds of the children of a process that have ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")
