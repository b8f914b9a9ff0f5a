"""The end of a stream: kept back from the last finish reason on, so that its last chunk can carry the verdict."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from glasnost.wire.answer import Chunk, finish_reasons_of
from glasnost.wire.chunk import Frame


class Tail:
    """Sorts the chunks of one attempt into those that may go and those that end the stream."""

    def __init__(self, choices: int, *, include_usage: bool) -> None:
        self._open = set(range(choices))
        self._include_usage = include_usage
        self._kept: list[Chunk] = []
        self._frame: Frame | None = None

    def pass_on(self, chunk: Chunk) -> bool:
        """Say whether the chunk may go now; otherwise it is kept for `close`."""
        if self._frame is None:
            self._frame = Frame(str(chunk.get("id", "")), int(chunk.get("created") or 0), chunk["model"])
        if not self._include_usage and chunk.get("usage") is not None and not chunk.get("choices"):
            return False  # the client did not ask for this chunk; we did
        if self._open:
            self._open.difference_update(finish_reasons_of(chunk))
            if self._open:
                return True
        self._kept.append(chunk)
        return False

    def close(self, glasnost: dict[str, Any]) -> Iterator[Chunk]:
        """Give the kept chunks, the last one with the verdict in it."""
        kept, self._kept = self._kept, []
        yield from kept[:-1]
        last = kept[-1] if kept else (self._frame or Frame("", 0, "")).bare([])
        yield {**last, "glasnost": glasnost}

    @property
    def id(self) -> str:
        """The id of the stream, as its upstream gave it."""
        return self._frame.id if self._frame is not None else ""

    def cut_off(self) -> None:
        """End the choices that have no finish reason as filtered: their upstream was not read to its end."""
        frame = self._frame or Frame("", 0, "")
        self._kept += [frame.chunk({}, index=index, finish_reason="content_filter") for index in sorted(self._open)]
        self._open.clear()

    def withhold(self, text: str, choices: int) -> None:
        """Drop what is kept and end every choice as filtered, with a refusal in our words."""
        frame = self._frame or Frame("", 0, "")
        self._open.clear()
        self._kept = [frame.chunk({"role": "assistant", "refusal": text}, index=index) for index in range(choices)]
        self._kept += [frame.chunk({}, index=index, finish_reason="content_filter") for index in range(choices)]
