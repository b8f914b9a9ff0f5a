"""What a model writes, told apart while it streams: thinking, answer, and calls of tools."""

from __future__ import annotations

from dataclasses import dataclass

from glasnost.engine.reasoning import ANY_THINKING, ReasoningSplitter, Thinking
from glasnost.engine.tools.call import Arguments, Piece, Text, ToolCall
from glasnost.engine.tools.format import Format
from glasnost.engine.tools.reader import CallReader

__all__ = ["Arguments", "Calls", "OutputFormat", "OutputParser", "Piece", "Text", "ToolCall"]


@dataclass(frozen=True, slots=True)
class Calls:
    """How calls are written, the names of the tools that can be called, and how many calls one answer may hold."""

    form: Format
    names: frozenset[str]
    most: int


@dataclass(frozen=True, slots=True)
class OutputFormat:
    """How a model's text becomes fields; `calls` is None when no tool can be called."""

    thinking: Thinking = ANY_THINKING
    calls: Calls | None = None


class OutputParser:
    """Feed the text of one choice, take pieces; however the text is split, the joined pieces are the same.

    `nonce` names the answer and the choice: the ids of calls are made of it.
    """

    def __init__(self, output: OutputFormat, nonce: str = "") -> None:
        self._splitter = ReasoningSplitter(output.thinking)
        calls = output.calls
        self._reader = None if calls is None else CallReader(calls.form, calls.names, calls.most, nonce)

    @property
    def called(self) -> bool:
        """True once a call has opened."""
        return self._reader is not None and self._reader.calls > 0

    def feed(self, text: str) -> list[Piece]:
        """Take the next text."""
        return [piece for field, part in self._splitter.feed(text) for piece in self._read(Text(field, part))]

    def finish(self) -> list[Piece]:
        """Give what was held because it might have become something else."""
        rest = [piece for field, part in self._splitter.finish() for piece in self._read(Text(field, part))]
        return rest if self._reader is None else rest + self._reader.finish()

    def _read(self, text: Text) -> list[Piece]:
        if self._reader is None or text.field != "content":
            return [text]
        return self._reader.feed(text.text)
