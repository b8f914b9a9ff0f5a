"""The pieces that a model's output is made of: text of a field, the opening of a tool call, and its arguments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Text:
    """Text that belongs to a field of the message."""

    field: Literal["content", "reasoning_content"]
    text: str


@dataclass(frozen=True, slots=True)
class ToolCall:
    """The call number `index` of this answer opens."""

    index: int
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Arguments:
    """The next text of a call's arguments."""

    index: int
    text: str


Piece = Text | ToolCall | Arguments
