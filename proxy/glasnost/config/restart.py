"""What of a configuration can change only with a restart, since something was opened, started or counted by it."""

from __future__ import annotations

from collections.abc import Iterator

from glasnost.config.parse import Config
from glasnost.errors import Problem

#: Everything else is taken over by a reload.
FIXED = (
    "server.host",
    "server.port",
    "server.workers",
    "server.drain_min_seconds",
    "server.drain_seconds",
    "limits",
    "failover",
    "engines",
    "ledger",
    "tracing",
    "upstreams",
)


def fixed_changes(old: Config, new: Config) -> list[Problem]:
    """Name what differs between two configurations and cannot be taken over while the gateway serves."""
    return list(_changes(old, new))


def _changes(old: Config, new: Config) -> Iterator[Problem]:
    for path in FIXED:
        before, after = _at(old, path), _at(new, path)
        if path == "upstreams":
            for name in sorted(old.upstreams.keys() | new.upstreams.keys()):
                if old.upstreams.get(name) != new.upstreams.get(name):
                    yield Problem(f"upstreams.{name}", "was changed, and needs a restart")
        elif before != after:
            yield Problem(path, "was changed, and needs a restart")


def _at(config: Config, path: str) -> object:
    value: object = config
    for part in path.split("."):
        value = getattr(value, part)
    return value
