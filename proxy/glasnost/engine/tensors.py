"""What stands in the header of a GGUF file, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

# fmt: off
#: Elements and bytes of a block of each tensor type, by its number in ggml.h.
BLOCKS: Mapping[int, tuple[int, int]] = {
    0: (1, 4), 1: (1, 2), 2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34), 9: (32, 36),
    10: (256, 84), 11: (256, 110), 12: (256, 144), 13: (256, 176), 14: (256, 210), 15: (256, 292),
    16: (256, 66), 17: (256, 74), 18: (256, 98), 19: (256, 50), 20: (32, 18), 21: (256, 110), 22: (256, 82),
    23: (256, 136), 24: (1, 1), 25: (1, 2), 26: (1, 4), 27: (1, 8), 28: (1, 8), 29: (256, 56), 30: (1, 2),
    34: (256, 54), 35: (256, 66), 39: (32, 17), 40: (64, 36), 41: (128, 18), 42: (64, 18),
}
# fmt: on


@dataclass(frozen=True, slots=True)
class Array:
    """An array of `length` values of one type; `items` of a long one, and of one of texts, were not kept."""

    kind: int
    length: int
    items: tuple[int | float | bool, ...] | None


Value = int | float | bool | str | Array


@dataclass(frozen=True, slots=True)
class Tensor:
    """One tensor: its shape, its type's number in ggml.h, its bytes in the file, and where they start."""

    name: str
    shape: tuple[int, ...]
    kind: int
    size: int
    start: int


@dataclass(frozen=True, slots=True)
class Gguf:
    """A file's keys and values, and its tensors; of a model in several files, the tensors of all."""

    name: str
    values: Mapping[str, Value]
    tensors: tuple[Tensor, ...]
