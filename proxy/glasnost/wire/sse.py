"""Server-sent events: an encoder for our streams and an incremental decoder for those of upstreams.

Rules kept here (WHATWG HTML, section 9.2): lines end in CRLF, LF or CR however the bytes are split; a leading
BOM and comments are ignored; several `data` lines of an event are joined by LF; an event without its closing
blank line is incomplete and is dropped.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from glasnost.errors import UpstreamError

DONE = b"data: [DONE]\n\n"
KEEP_ALIVE = b": keep-alive\n\n"
MAX_LINE = 8 << 20

_LINE_END = re.compile(rb"\r\n|\n|\r")
_BOM = b"\xef\xbb\xbf"


def encode(data: bytes) -> bytes:
    """Frame one event; `data` must hold no line break, which serialised JSON never does."""
    return b"data: " + data + b"\n\n"


@dataclass(frozen=True, slots=True)
class Event:
    """One dispatched event: its `event` field (empty for the default type) and its data."""

    type: str
    data: bytes


class Decoder:
    """Feed bytes as they come, take whole events."""

    def __init__(self, max_line: int = MAX_LINE) -> None:
        self._max_line = max_line
        self._rest = b""
        self._data: list[bytes] = []
        self._type = ""
        self._first = True

    def feed(self, data: bytes) -> list[Event]:
        """Take the next bytes; a line above the limit raises UpstreamError."""
        data = self._rest + data
        if self._first:
            if len(data) < len(_BOM) and _BOM.startswith(data):
                self._rest = data
                return []
            data = data.removeprefix(_BOM)
            self._first = False
        lines, self._rest = self._split(data)
        if len(self._rest) > self._max_line:
            raise UpstreamError(
                f"The upstream sent a line of more than {self._max_line} bytes.",
                code="upstream_response_too_large",
            )
        return [event for line in lines if (event := self._line(line)) is not None]

    def _split(self, data: bytes) -> tuple[list[bytes], bytes]:
        if b"\r" not in data:
            *lines, rest = data.split(b"\n")
            return lines, rest
        # A CR at the very end may be half of a CRLF: it waits for the next byte.
        held = b"\r" if data.endswith(b"\r") else b""
        *lines, rest = _LINE_END.split(data.removesuffix(b"\r") if held else data)
        return lines, rest + held

    def _line(self, line: bytes) -> Event | None:
        if not line:
            return self._dispatch()
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            self._data.append(value)
        elif name == b"event":
            self._type = value.decode(errors="replace")
        return None

    def _dispatch(self) -> Event | None:
        data, self._data = self._data, []
        type_, self._type = self._type, ""
        return Event(type_, b"\n".join(data)) if data else None
