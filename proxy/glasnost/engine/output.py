"""What a model writes, told apart while it streams: thinking, answer, and calls of tools."""

from __future__ import annotations

from dataclasses import dataclass

from glasnost.engine.reasoning import ReasoningSplitter
from glasnost.engine.tools.call import Arguments, Piece, Text, ToolCall

__all__ = ["Arguments", "OutputFormat", "OutputParser", "Piece", "Text", "ToolCall"]


@dataclass(frozen=True, slots=True)
class OutputFormat:
    """How a model's text becomes fields; `thinking` when the prompt ended with the opening tag of thinking."""

    thinking: bool = False


class OutputParser:
    """Feed the text of one choice, take pieces; however the text is split, the joined pieces are the same."""

    def __init__(self, output: OutputFormat) -> None:
        self._splitter = ReasoningSplitter(thinking=output.thinking)

    def feed(self, text: str) -> list[Piece]:
        """Take the next text."""
        return [Text(field, part) for field, part in self._splitter.feed(text)]

    def finish(self) -> list[Piece]:
        """Give what was held because it might have become something else."""
        return [Text(field, part) for field, part in self._splitter.finish()]
