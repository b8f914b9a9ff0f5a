"""Everything that a gateway is made of, read from files and the environment in one go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from glasnost.audit.head import Head
from glasnost.cli import load, opinions
from glasnost.cli.keys import with_keys
from glasnost.config import Config
from glasnost.models.cache import cache_folder
from glasnost.policy.policy import Policy
from glasnost.upstream.script import Script


@dataclass(frozen=True, slots=True)
class Place:
    """Where a configuration stands (None for the one that ships), and what the command line gave instead of it."""

    path: Path | None
    host: str | None = None
    port: int | None = None
    workers: int | None = None

    @property
    def source(self) -> str:
        """What messages call it."""
        return str(self.path) if self.path else "the default configuration"

    @property
    def folder(self) -> Path:
        """What other files are relative to."""
        return self.path.parent if self.path else Path()

    def arguments(self) -> list[str]:
        """Give it as a command line does."""
        given = {"config": self.path, "host": self.host, "port": self.port, "workers": self.workers}
        return [word for name, value in given.items() if value is not None for word in (f"--{name}", str(value))]


@dataclass(frozen=True, slots=True)
class Reading:
    """A configuration with what it names."""

    config: Config
    policies: Mapping[tuple[str, ...], Policy]
    files: Mapping[str, Path]
    scripts: Mapping[str, Script]
    head: Head | None


def read_all(place: Place, environ: Mapping[str, str]) -> Reading:
    """Read and check everything; raises DocumentError with all that is wrong."""
    config = load.load_config(place.path, host=place.host, port=place.port, workers=place.workers)
    config = with_keys(config, place.source, place.folder, environ)
    load.check_keys(config, place.source, environ)
    policies = load.load_policies(config)
    scripts = load.load_scripts(config, place.folder)
    files = load.find_files(config, place.source, cache_folder(environ))
    opinions.check_opinions(config, place.source, files)
    head = opinions.load_head(config, place.source, place.folder, files)
    return Reading(config, policies, files, scripts, head)
