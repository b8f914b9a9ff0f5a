"""The ledger as metrics: what was written, how long it took, and whether it can be written now."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import Counter, Gauge, Histogram

from glasnost.record.metrics import FINE, Metrics, preset


class LedgerMetrics:
    """The families `glasnost_ledger_*`; their methods may be called from any thread."""

    def __init__(self, metrics: Metrics) -> None:
        registry = metrics.registry
        self._records = Counter(
            "glasnost_ledger_records_total", "Records, by whether they are kept.", ("result",), registry=registry
        )
        self._duration = Histogram(
            "glasnost_ledger_write_duration_seconds",
            "Time to write a group of records, and to make it durable.",
            ("op",),
            buckets=FINE,
            registry=registry,
        )
        self._bytes = Counter("glasnost_ledger_bytes_total", "Bytes of records and contents.", registry=registry)
        self._backlog = Gauge(
            "glasnost_ledger_backlog_records", "Records that wait.", multiprocess_mode="livesum", registry=registry
        )
        self._success = Gauge(
            "glasnost_ledger_last_success_timestamp_seconds",
            "When something was last written.",
            multiprocess_mode="livemin",
            registry=registry,
        )
        self._healthy = Gauge(
            "glasnost_ledger_healthy",
            "1 while the ledger can be written.",
            multiprocess_mode="livemin",
            registry=registry,
        )
        self._seq = Gauge(
            "glasnost_ledger_chain_seq",
            "Number of the chain's last entry.",
            multiprocess_mode="livesum",
            registry=registry,
        )
        self._checkpoints = Counter(
            "glasnost_ledger_checkpoints_total",
            "Signed checkpoints, by whether they were delivered.",
            ("result",),
            registry=registry,
        )
        preset(self._records, [("ok",), ("failed",)])
        preset(self._checkpoints, [("ok",), ("failed",)])
        for op in ("write", "fsync"):
            self._duration.labels(op)

    def wrote(self, write: float, fsync: float, records: int, sizes: Iterable[int]) -> None:
        """Count a group that is kept: seconds for writing and for making durable, records, and their bytes."""
        self._records.labels("ok").inc(records)
        self._duration.labels("write").observe(write)
        self._duration.labels("fsync").observe(fsync)
        self._bytes.inc(sum(sizes))

    def lost(self, records: int = 1) -> None:
        """Count records that were not kept in time."""
        self._records.labels("failed").inc(records)

    def stands(self, seq: int, seconds: float) -> None:
        """Note that the ledger can be written: where its chain is, at what time since 1970."""
        self._seq.set(seq)
        self._success.set(seconds)
        self._healthy.set(1)

    def fails(self) -> None:
        """Note that the ledger cannot be written."""
        self._healthy.set(0)

    def waits(self, records: int) -> None:
        """Note how many records wait."""
        self._backlog.set(records)

    def checkpoint(self, *, delivered: bool) -> None:
        """Count a checkpoint."""
        self._checkpoints.labels("ok" if delivered else "failed").inc()
