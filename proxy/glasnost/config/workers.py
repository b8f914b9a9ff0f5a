"""What several worker processes of one gateway cannot share, and what to do instead."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from glasnost.config.keys import LimitsSettings
from glasnost.config.server import ServerSettings
from glasnost.config.upstreams import LocalUpstream, UpstreamSettings


def worker_problems(
    server: ServerSettings, limits: LimitsSettings, upstreams: Mapping[str, UpstreamSettings]
) -> Iterator[tuple[str, str]]:
    """Name, by their paths, settings that only a gateway of one process can keep to."""
    if server.workers == 1:
        return
    each = f"each of the {server.workers} workers (server.workers)"
    for name, upstream in upstreams.items():
        if isinstance(upstream, LocalUpstream):
            elsewhere = "run `glasnost engine` as a process of its own and name it as an upstream of kind http"
            yield f"upstreams.{name}.kind", f"{each} would load this model: {elsewhere}, or set server.workers to 1"
    if limits.redis_url_env is None and any(key.limits.any for key in server.keys):
        redis = "name a Redis that counts for all"
        yield (
            "limits.redis_url_env",
            f"{each} would count what a key uses for itself: {redis}, or set server.workers to 1",
        )
