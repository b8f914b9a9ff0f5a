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


def encode(data: bytes, event: str = "") -> bytes:
    """Frame one event, of a type that we name; `data` must hold no line break, which serialised JSON never does."""
    return (f"event: {event}\n".encode() if event else b"") + b"data: " + data + b"\n\n"


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
        self._size = 0
        self._type = ""
        self._first = True
        self._after_cr = False

    def feed(self, data: bytes) -> list[Event]:
        """Take the next bytes; a line, or the data of one event, above the limit raises UpstreamError."""
        if not data:
            return []
        data = self._rest + data
        if self._first:
            if len(data) < len(_BOM) and _BOM.startswith(data):
                self._rest = data
                return []
            data = data.removeprefix(_BOM)
            self._first = False
        lines, self._rest = self._split(data)
        self._check_size(len(self._rest))
        return [event for line in lines if (event := self._line(line)) is not None]

    def _split(self, data: bytes) -> tuple[list[bytes], bytes]:
        if self._after_cr:
            data = data.removeprefix(b"\n")
        # A CR ends its line at once; if it was half of a CRLF, the LF that comes next ends nothing.
        self._after_cr = data.endswith(b"\r")
        *lines, rest = _LINE_END.split(data) if b"\r" in data else data.split(b"\n")
        return lines, rest

    def _line(self, line: bytes) -> Event | None:
        if not line:
            return self._dispatch()
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            self._data.append(value)
            self._size += len(value)
            self._check_size(self._size)
        elif name == b"event":
            self._type = value.decode(errors="replace")
        return None

    def _check_size(self, size: int) -> None:
        if size > self._max_line:
            raise UpstreamError(
                f"The upstream sent an event of more than {self._max_line} bytes.",
                code="upstream_response_too_large",
            )

    def _dispatch(self) -> Event | None:
        data, self._data = self._data, []
        type_, self._type = self._type, ""
        self._size = 0
        return Event(type_, b"\n".join(data)) if data else None
