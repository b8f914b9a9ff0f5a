"""The values that a scheduler and a model exchange: the bounds, and what one step does to the cache and computes."""

from __future__ import annotations

from dataclasses import dataclass

from glasnost.engine.adapters import Adapters


@dataclass(frozen=True, slots=True)
class Copy:
    """Let slot `target` hold the cells of `source` at positions `start` up to, not including, `stop`."""

    source: int
    target: int
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class Remove:
    """Drop the cells of a slot from position `start` on."""

    slot: int
    start: int


Operation = Copy | Remove


@dataclass(frozen=True, slots=True)
class Span:
    """Consecutive tokens of one sequence to compute; `sampled` when the next token is chosen after the last."""

    slot: int
    start: int
    tokens: list[int]
    sampled: bool


@dataclass(frozen=True, slots=True)
class Step:
    """First the operations on the cache, in order, then all spans in one batch, with these adapters."""

    operations: tuple[Operation, ...]
    spans: tuple[Span, ...]
    adapters: Adapters = ()


@dataclass(frozen=True, slots=True)
class Limits:
    """The bounds of a scheduler: `cells` of KV cache, `partial` when a prefix of a sequence can be kept or copied.

    `budget` is the most tokens of a step, `chunk` the most prompt tokens of a step in which anyone decodes, and
    `queue` how many sequences may wait.
    """

    slots: int
    cells: int
    queue: int
    budget: int
    chunk: int
    partial: bool = True

    def __post_init__(self) -> None:
        if min(self.slots, self.cells, self.chunk) < 1 or self.queue < 0 or self.budget < self.slots:
            raise ValueError(f"unusable limits: {self}")
