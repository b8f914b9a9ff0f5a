"""One child process: started in a session of its own, its output kept flowing, stopped for certain."""

from __future__ import annotations

import asyncio
import os
import signal
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress

import structlog

STOP_SECONDS = 5.0
KEPT_LINES = 20
MAX_LINE = 2_000

_log = structlog.get_logger(__name__)


class Child:
    """A running child; what it prints goes to the log at debug, and the last lines are kept for error messages."""

    def __init__(self, name: str, process: asyncio.subprocess.Process) -> None:
        self._name = name
        self._process = process
        self._lines: deque[str] = deque(maxlen=KEPT_LINES)
        self._draining = asyncio.create_task(self._drain())
        #: Done when the process has ended and everything it printed is read.
        self.ended = asyncio.create_task(self._end())

    @classmethod
    async def spawn(cls, name: str, command: Sequence[str]) -> Child:
        """Start `command`; raises OSError when that is not possible."""
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=_without_secrets(os.environ),
            start_new_session=True,  # a Ctrl-C at the terminal is for the gateway, which drains first
        )
        return cls(name, process)

    @property
    def pid(self) -> int:
        """The id of the process."""
        return self._process.pid

    def last_words(self) -> str:
        """Say how it ended and what it printed last."""
        code = self._process.returncode
        how = "is running" if code is None else f"exited with status {code}"
        if code is not None and code < 0:
            how = f"was ended by {signal.Signals(-code).name}"
        return "\n".join([how, *self._lines])

    async def stop(self) -> None:
        """End it: politely, then by force; returns when it is gone."""
        for end in (self._process.terminate, self._process.kill):
            if not self.ended.done():
                with suppress(ProcessLookupError):
                    end()
                await asyncio.wait({self.ended}, timeout=STOP_SECONDS)
        await self.ended

    async def _end(self) -> None:
        await self._process.wait()
        await self._draining

    async def _drain(self) -> None:
        output = self._process.stdout
        rest = b""
        while output is not None and (data := await output.read(65_536)):
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                self._line(line)
            rest = rest[-MAX_LINE:]
        if rest:
            self._line(rest)

    def _line(self, line: bytes) -> None:
        text = line[:MAX_LINE].decode(errors="replace").rstrip()
        self._lines.append(text)
        _log.debug("engine output", upstream=self._name, line=text)


def _without_secrets(environ: Mapping[str, str]) -> dict[str, str]:
    """Leave out the keys of upstreams, which an engine has no use for, and that of engines that run alone."""
    return {name: value for name, value in environ.items() if not name.endswith(("_KEY", "_TOKEN", "_SECRET"))}
