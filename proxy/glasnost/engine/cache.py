"""What the KV cache holds, counted as llama.cpp counts it: a cell that several slots share takes room once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import count, islice

from glasnost.engine.adapters import Adapters
from glasnost.engine.sequence import Sequence

# Comparing slices runs in C; the page size bounds how much of the last one is compared token by token.
_PAGE = 256


def common_prefix(left: list[int], right: list[int], limit: int) -> int:
    """Count the leading tokens that both lists share, up to `limit`."""
    limit = min(limit, len(left), len(right))
    start = 0
    while start < limit and left[start : start + _PAGE] == right[start : start + _PAGE]:
        start += _PAGE
    return next((at for at in range(start, limit) if left[at] != right[at]), limit)


@dataclass(slots=True, eq=False)
class Slot:
    """One llama.cpp sequence id: the tokens whose keys and values it caches, and who runs in it.

    The cache holds the first `len(cells)` of `tokens`, as `adapters` make them; while a sequence runs, `tokens` is
    that sequence's own list.
    `leader` is a slot that is computing a prefix which this one waits to copy, with that prefix's length.
    """

    index: int
    tokens: list[int] = field(default_factory=list)
    cells: list[int] = field(default_factory=list)
    adapters: Adapters = ()
    sequence: Sequence | None = None
    leader: tuple[Slot, Sequence, int] | None = None
    since: int = 0

    @property
    def pending(self) -> int:
        """How many tokens of the running sequence are not in the cache yet."""
        return len(self.tokens) - len(self.cells) if self.sequence is not None else 0


class Cells:
    """The cells of the unified KV cache with how many slots hold each."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._holders: dict[int, int] = {}
        self._numbers = count()

    @property
    def used(self) -> int:
        """How many cells hold something."""
        return len(self._holders)

    def take(self, number: int) -> list[int]:
        """Fill `number` free cells for one holder."""
        taken = list(islice(self._numbers, number))
        self._holders.update(dict.fromkeys(taken, 1))
        if self.used > self.size:
            raise RuntimeError(f"{self.used} cells in a KV cache of {self.size}")
        return taken

    def share(self, cells: Iterable[int]) -> None:
        """Count one more holder of each cell."""
        for cell in cells:
            self._holders[cell] += 1

    def release(self, cells: Iterable[int]) -> None:
        """Count one holder fewer of each cell; a cell without any is free."""
        for cell in cells:
            if self._holders[cell] == 1:
                del self._holders[cell]
            else:
                self._holders[cell] -= 1
