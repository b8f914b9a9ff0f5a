"""Reloads as metrics, after Prometheus' own pattern, and which policies judge."""

from __future__ import annotations

import time
from collections.abc import Mapping

from prometheus_client import Counter, Gauge

from glasnost.policy.policy import Policy
from glasnost.record.metrics import Metrics, forget, preset


class ReloadMetrics:
    """Counts reloads, and names the policies by their packs and hash."""

    def __init__(self, metrics: Metrics) -> None:
        registry = metrics.registry
        self._successful = Gauge(
            "glasnost_config_last_reload_successful",
            "1 while the last reload was taken.",
            multiprocess_mode="livemin",
            registry=registry,
        )
        self._success_time = Gauge(
            "glasnost_config_last_reload_success_timestamp_seconds",
            "When one was last taken.",
            multiprocess_mode="livemin",
            registry=registry,
        )
        self._reloads = Counter("glasnost_config_reloads_total", "Reloads.", ("result",), registry=registry)
        self._loaded = Gauge(
            "glasnost_policies_loaded", "Topics that judge.", multiprocess_mode="livemax", registry=registry
        )
        self._info = Gauge(
            "glasnost_policy_info",
            "Always 1: the packs of a policy and its hash.",
            ("policy", "sha256_8"),
            multiprocess_mode="livemax",
            registry=registry,
        )
        self._judging: set[tuple[str, str]] = set()
        preset(self._reloads, [("ok",), ("refused",)])

    def took(self, policies: Mapping[tuple[str, ...], Policy]) -> None:
        """Note what judges from now on; the first time is no reload."""
        self._successful.set(1)
        self._success_time.set(time.time())
        self._loaded.set(len({topic.id for policy in policies.values() for topic in policy.topics}))
        judging = {("+".join(packs), policy.hash[:8]) for packs, policy in policies.items()}
        for gone in self._judging - judging:
            forget(self._info, gone)
        for each in judging:
            self._info.labels(*each).set(1)
        self._judging = judging

    def reloaded(self, *, ok: bool) -> None:
        """Count a reload; one that was refused leaves what was there."""
        self._reloads.labels("ok" if ok else "refused").inc()
        if not ok:
            self._successful.set(0)
