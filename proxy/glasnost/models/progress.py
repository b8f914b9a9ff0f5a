"""How a pull tells what it is doing."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Called often, from one thread at a time."""

    def __call__(self, step: str, done: int = 0, total: int | None = None) -> None:
        """Say that `done` of `total` bytes of `step` are behind us; no total where nothing is counted."""


def silent(step: str, done: int = 0, total: int | None = None) -> None:
    """Tell nobody."""
