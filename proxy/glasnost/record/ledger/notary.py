"""The thread that signs a checkpoint every so often and delivers it to a file or a command."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from glasnost.config import CheckpointSettings
from glasnost.record.ledger.checkpoint import sign
from glasnost.record.ledger.entry import Head
from glasnost.record.ledger_metrics import LedgerMetrics

_COMMAND_SECONDS = 30

_log = structlog.get_logger(__name__)


class Notary(threading.Thread):
    """Signs where a chain is whenever it has grown; at its beginning, and at its end, too."""

    def __init__(
        self, settings: CheckpointSettings, key: Ed25519PrivateKey, metrics: LedgerMetrics, now: Callable[[], int]
    ) -> None:
        """Take `now` as the wall clock in microseconds."""
        super().__init__(name="notary", daemon=True)
        self._settings = settings
        self._key = key
        self._metrics = metrics
        self._now = now
        self._head: Callable[[], Head | None] = lambda: None
        self._signed: Head | None = None
        self._over = threading.Event()

    def watch(self, head: Callable[[], Head | None]) -> None:
        """Begin to sign what `head` gives."""
        self._head = head
        self.start()

    def finish(self) -> None:
        """Sign a last time, and end."""
        self._over.set()
        self.join()

    def run(self) -> None:
        """Sign until told that it is over."""
        while not self._over.is_set():
            self._sign()
            self._over.wait(self._settings.seconds)
        self._sign()

    def _sign(self) -> None:
        head = self._head()
        if head is None or head == self._signed:
            return
        try:
            self._deliver(sign(self._key, head, self._now()))
        except (OSError, subprocess.SubprocessError) as error:
            _log.error("checkpoint_failed", error=type(error).__name__, why=str(error))
            self._metrics.checkpoint(delivered=False)
        else:
            self._signed = head
            self._metrics.checkpoint(delivered=True)

    def _deliver(self, line: bytes) -> None:
        if self._settings.file is None:
            command = self._settings.command
            # The words are the configuration's own, and no shell reads them.
            subprocess.run(command, input=line, timeout=_COMMAND_SECONDS, check=True, stdout=subprocess.DEVNULL)  # noqa: S603
            return
        handle = os.open(Path(self._settings.file), os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            os.write(handle, line)
            os.fsync(handle)
        finally:
            os.close(handle)
