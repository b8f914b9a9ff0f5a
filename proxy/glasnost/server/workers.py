"""Several worker processes behind one listening socket: started, told to stop or to reload, and replaced when they die.

Rules kept here:
- all inherit the one socket: who asks while a worker dies or ends waits in its queue, and another worker answers;
- a worker that ends before all have served once ends the gateway with its exit code: it would not come up again;
- later, one that ends is replaced, after a pause that doubles as long as it goes on;
- SIGTERM and SIGINT are passed on once each, so that every worker drains by its own rules, and nobody is replaced then.
"""

from __future__ import annotations

import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import FrameType

import structlog

from glasnost.record.sharing import all_started, serves, take_away
from glasnost.upstream.backoff import Backoff

_log = structlog.get_logger(__name__)

_STOPS = (signal.SIGTERM, signal.SIGINT)
_LOOK_SECONDS = 0.1

#: Gives the command of the worker with this number.
Command = Callable[[int], Sequence[str]]


class Workers:
    """The workers of one gateway; `folder` is fresh, and theirs to share."""

    def __init__(self, command: Command, count: int, folder: Path, listener: socket.socket) -> None:
        self._command = command
        self._count = count
        self._folder = folder
        self._listener = listener
        self._running: dict[int, subprocess.Popen[bytes]] = {}
        self._since: dict[int, float] = {}
        self._backoff = {number: Backoff() for number in range(count)}
        self._heard: list[signal.Signals] = []
        self._complete = False
        self._stopping = False
        self._code = 0

    def run(self) -> int:
        """Run until a signal comes and all have ended; give the exit code. To be called in the main thread."""
        before = {each: signal.signal(each, self._hear) for each in (*_STOPS, signal.SIGHUP)}
        try:
            self._watch()
        finally:
            for each, handler in before.items():
                signal.signal(each, handler)
        return self._code

    def _watch(self) -> None:
        for number in range(self._count):
            self._start(number)
        while self._running or not self._stopping:
            time.sleep(_LOOK_SECONDS)
            self._heed()
            self._bury()
            if not self._stopping:
                self._complete = self._complete or self._all_started()
                self._replace()

    def _hear(self, number: int, _: FrameType | None) -> None:
        self._heard.append(signal.Signals(number))

    def _heed(self) -> None:
        while self._heard:
            if self._heard.pop(0) in _STOPS:
                self._stopping = True
                self._tell(self._running, signal.SIGTERM)
            else:
                # One that is still starting would be ended by it, and reads everything anyway.
                serving = [number for number in self._running if serves(self._folder, number)]
                self._tell(serving, signal.SIGHUP)

    def _tell(self, numbers: Iterable[int], what: signal.Signals) -> None:
        for number in numbers:
            self._running[number].send_signal(what)

    def _start(self, number: int) -> None:
        self._running[number] = subprocess.Popen(  # noqa: S603 - our own command
            self._command(number),
            stdin=subprocess.DEVNULL,
            pass_fds=(self._listener.fileno(),),
            start_new_session=True,  # a Ctrl-C at the terminal comes to us, who tell each worker once
        )
        self._since[number] = time.monotonic()

    def _all_started(self) -> bool:
        if not all_started(self._folder, self._count):
            return False
        _log.info("serving", workers=self._count, pids=[process.pid for process in self._running.values()])
        return True

    def _bury(self) -> None:
        """See who has ended; nobody replaces one that was told to."""
        for number, process in tuple(self._running.items()):
            code = process.poll()
            if code is None:
                continue
            del self._running[number]
            take_away(self._folder, number)
            if self._stopping:
                self._code = self._code or _failure(code)
                continue
            now = time.monotonic()
            self._backoff[number] = self._backoff[number].failed(now, up_seconds=now - self._since[number])
            _log.error("worker_ended", worker=number, pid=process.pid, code=code)
            if not self._complete:
                self._stopping = True
                self._code = _failure(code) or 1
                self._tell(self._running, signal.SIGTERM)

    def _replace(self) -> None:
        now = time.monotonic()
        for number in range(self._count):
            if number not in self._running and not self._backoff[number].remaining(now):
                self._start(number)


def _failure(code: int) -> int:
    """Give the exit code that a worker's end means for the gateway: a stop that was asked for is no failure."""
    if code in (0, -signal.SIGTERM):
        return 0
    return code if code > 0 else 1
