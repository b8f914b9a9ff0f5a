"""Reloading: at SIGHUP and when a file changes, everything is read anew, and taken whole or not at all."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Mapping
from pathlib import Path

import structlog
import watchfiles

from glasnost.cli.reading import Place, read_all
from glasnost.errors import DocumentError
from glasnost.record.redactor import Redactor
from glasnost.record.secrets import secrets_of
from glasnost.services import Service

log = structlog.get_logger()

#: An editor writes a file in several steps, a deployment several files.
SETTLE_MILLISECONDS = 500
# Of configurations, packs, prompts and heads.
_READ = frozenset({".yaml", ".yml", ".json", ".txt", ".md"})
# Kubernetes changes a mounted ConfigMap by one link, `..data`.
_SWAPPED = ".."


class Reloader:
    """Keeps a service's configuration what its files say, as long as they are right."""

    def __init__(self, service: Service, place: Place, environ: Mapping[str, str], redactor: Redactor) -> None:
        self._service = service
        self._place = place
        self._environ = environ
        self._redactor = redactor
        self._asked = asyncio.Event()

    async def run(self) -> None:
        """Reload whenever it is asked for, until cancelled."""
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self._asked.set)
        watching = asyncio.ensure_future(self._watch())
        try:
            while True:
                await self._asked.wait()
                self._asked.clear()
                await self._reload()
        finally:
            watching.cancel()

    async def _reload(self) -> None:
        try:
            # Compiling the packs takes a second, in which requests go on.
            reading = await asyncio.to_thread(read_all, self._place, self._environ)
            self._redactor.learn(secrets_of(reading.config, self._environ))
            self._service.reload(reading.config, reading.policies, reading.head)
        except DocumentError as error:
            self._service.refused()
            log.error("reload_refused", reason=str(error))  # noqa: TRY400 - its words say it all
        else:
            log.info("reloaded", policies=[policy.hash for policy in reading.policies.values()])

    async def _watch(self) -> None:
        folders = self._folders()
        watching = watchfiles.awatch(
            *folders, watch_filter=self._concerns, debounce=SETTLE_MILLISECONDS, recursive=False
        )
        async for _ in watching:
            self._asked.set()

    def _concerns(self, _: watchfiles.Change, path: str) -> bool:
        """Say whether a file is one to be read: a ledger or a log beside the configuration changes all the time."""
        place, keys_file = self._place.path, self._service.config.server.keys_file
        named = {Path(each).name for each in (place, keys_file) if each is not None}
        name = Path(path).name
        return name in named or Path(name).suffix in _READ or name.startswith(_SWAPPED)

    def _folders(self) -> set[Path]:
        """Give the folders of what can be edited: the configuration's, the keys' and those of packs given by path."""
        config = self._service.config
        packs = [*config.audit.packs, *(pack for key in config.server.keys for pack in key.packs or ())]
        found = {Path(pack) for pack in packs if "/" in pack or pack.startswith(".")}
        if self._place.path is not None:
            found.add(self._place.folder)
        if config.server.keys_file is not None:
            found.add((self._place.folder / config.server.keys_file).parent)
        return {folder.resolve() for folder in found} or {Path(__file__).resolve().parent}
