"""What a model thought and what it said: `<think>...</think>` taken out of the text while it streams."""

from __future__ import annotations

from enum import Enum
from typing import Literal

Field = Literal["reasoning_content", "content"]
Piece = tuple[Field, str]

OPEN = "<think>"
CLOSE = "</think>"


class _Place(Enum):
    BEFORE = 1
    THINKING = 2
    BEHIND = 3
    ANSWER = 4


class ReasoningSplitter:
    """Feed text, take (field, text) pieces; however the text is split, the joined fields are the same.

    Only thinking that opens the answer counts: a later `<think>` is text about the tag. `thinking` is true when the
    prompt itself ended with the opening tag. White space around the thinking belongs to neither field.
    """

    def __init__(self, *, thinking: bool = False) -> None:
        self._place = _Place.THINKING if thinking else _Place.BEFORE
        self._held = ""
        self._begun = False

    def feed(self, text: str) -> list[Piece]:
        """Take the next text."""
        self._held += text
        pieces: list[Piece] = []
        if self._place is _Place.BEFORE:
            self._before()
        if self._place is _Place.THINKING:
            pieces += self._thinking()
        if self._place is _Place.BEHIND:
            self._held = self._held.lstrip()
            if self._held:
                self._place = _Place.ANSWER
        if self._place is _Place.ANSWER and self._held:
            pieces.append(("content", self._take(len(self._held))))
        return pieces

    def finish(self) -> list[Piece]:
        """Give what was held because it might have become a tag."""
        held = self._held.rstrip() if self._place is _Place.THINKING else self._held
        self._held = ""
        if not held or self._place is _Place.BEHIND:
            return []
        return [("reasoning_content" if self._place is _Place.THINKING else "content", held)]

    def _take(self, size: int) -> str:
        taken, self._held = self._held[:size], self._held[size:]
        return taken

    def _before(self) -> None:
        text = self._held.lstrip()
        if text.startswith(OPEN):
            self._held, self._place = text[len(OPEN) :], _Place.THINKING
        elif not OPEN.startswith(text):
            self._place = _Place.ANSWER

    def _thinking(self) -> list[Piece]:
        if not self._begun:
            self._held = self._held.lstrip()
            self._begun = bool(self._held)
        end = self._held.find(CLOSE)
        if end >= 0:
            thought = self._take(end).rstrip()
            self._take(len(CLOSE))
            self._place = _Place.BEHIND
        else:
            thought = self._take(_sure(self._held))
        return [("reasoning_content", thought)] if thought else []


def _sure(text: str) -> int:
    """Count the first characters that are neither trailing white space nor the beginning of the closing tag."""
    tag = next((size for size in range(len(CLOSE) - 1, 0, -1) if text.endswith(CLOSE[:size])), 0)
    return len(text[: len(text) - tag].rstrip())
