"""What a template may take of time and memory, and what its values cost.

A value that a template built may hold a part of itself many times over, so that it is small as it stands and endless
when it is written down: whatever reads a value to its last item weighs it first.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from jinja2 import TemplateRuntimeError

MAX_WORK = 1_000_000
MAX_TEXT = 64 << 20
MAX_SECONDS = 1.0


class Exceeded(TemplateRuntimeError):
    """The template used up its budget."""


@dataclass(slots=True)
class Budget:
    """What one rendering may take: `work` in turns, calls and items, `text` in characters, and CPU time."""

    work: int = MAX_WORK
    text: int = MAX_TEXT
    until: float = field(default_factory=lambda: time.thread_time() + MAX_SECONDS)

    def spend(self, *, work: int = 1, text: int = 0) -> None:
        """Take from the budget, or raise Exceeded; the clock is read now and then."""
        self.work -= work
        self.text -= text
        late = (self.work % 64 == 0 or text > 1 << 16) and time.thread_time() > self.until
        if self.work < 0 or self.text < 0 or late:
            raise Exceeded("it takes too much work, or makes too much text")


#: The budget of the template that is compiled or rendered.
budget: ContextVar[Budget] = ContextVar("budget of the template")


def weigh(value: Any) -> None:
    """Pay for all that a list or an object holds, as often as it holds it."""
    if not isinstance(value, list | tuple | dict):
        return
    spend = budget.get().spend
    rest: list[Any] = [value]
    while rest:
        item = rest.pop()
        spend(text=len(item) if isinstance(item, str) else 0)
        if isinstance(item, list | tuple):
            rest.extend(item)
        elif isinstance(item, dict):
            rest.extend(item.keys())
            rest.extend(item.values())


def counted(parts: Iterable[str]) -> Iterator[str]:
    """Give the parts of a text, each paid for."""
    for part in parts:
        budget.get().spend(text=len(part))
        yield part


def each(items: Iterable[Any]) -> Iterator[Any]:
    """Give the items, each paid for."""
    for item in items:
        budget.get().spend()
        yield item


def size(value: Any) -> int:
    """Give what it costs to make a value: the characters of a text, the bytes of a number, a pointer for each item."""
    if isinstance(value, str):
        return len(value)
    if isinstance(value, int):
        return value.bit_length() // 8
    return 8 * len(value) if isinstance(value, list | tuple | dict) else 0
