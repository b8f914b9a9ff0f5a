"""The arithmetic of memory: what a model takes on each device, and what `auto` comes to.

All sizes are bytes. A place is a device: place 0 is RAM, the places after it are the GPUs in their order. What is
counted follows llama.cpp 0.5 (llama-model.cpp, llama-kv-cache.cpp, llama-context.cpp):

- weights: the tensors of a layer lie where the layer is computed; embeddings that are looked up stay in RAM; a CPU
  keeps some matrices a second time, in another order;
- KV: cells x the numbers that a layer keeps of a token x the bytes of the cache's type, where the layer is; the
  cells are rounded up to 256. Recurrent layers keep a state of fixed size for each slot;
- compute: logits of every slot, and for each row of a step the widest activations and a row of the attention mask,
  without flash attention one for each head;
- base: the process with its vocabulary in RAM; the context of the driver on a GPU.

Not counted is the second context that the first request for embeddings makes: of 2,048 tokens at most.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from glasnost.engine.layout import Layout, kv_bytes

#: Cells come in blocks of this many.
CELLS = 256
#: `auto` takes no more cells than this: more costs memory that other engines may need, and few prompts are longer.
MOST_CELLS = 32_768
#: `auto` gives up slots rather than have fewer cells for each.
CELLS_PER_SLOT = 2_048
#: `auto` rather leaves layers on the CPU than to have fewer cells than these.
FEWEST_CELLS = 4_096
#: Slots of `auto`: what a few cores keep busy, and what a GPU does.
CPU_SLOTS, GPU_SLOTS = 4, 16

# Measured on Linux (tests/engine/test_plan_measured.py): the interpreter with llama.cpp and the server, and what is
# kept of each token: its text in llama.cpp and here, and in a grammar's candidates.
_PROCESS = 110 << 20
_PER_TOKEN = 520
# Not measured here: what CUDA and cuBLAS take of a GPU for themselves.
_DRIVER = 512 << 20
# llama.cpp is given this many rows at once on a CPU, and `batch` on a GPU.
_CPU_ROWS = 64

Space = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Wish:
    """What the settings of an engine ask for; None is `auto`. `split` are shares of the GPUs, empty for `auto`."""

    context: int | None
    slots: int | None
    layers: int | None
    split: tuple[float, ...] = ()
    batch: int = 512
    kv_type: str = "f16"
    flash: bool = True


@dataclass(frozen=True, slots=True)
class Need:
    """What an engine takes of one place."""

    weights: int = 0
    kv: int = 0
    compute: int = 0
    base: int = 0

    @property
    def total(self) -> int:
        """All of it."""
        return self.weights + self.kv + self.compute + self.base


@dataclass(frozen=True, slots=True)
class Plan:
    """How an engine runs, and what it takes of each place.

    `layers` are the layers on GPUs counted from the last, the output layer included, and `split` how many of them are
    on each.
    """

    context: int
    slots: int
    layers: int
    split: tuple[int, ...] = ()
    needs: tuple[Need, ...] = field(default=(Need(),))

    @property
    def space(self) -> Space:
        """The bytes of each place."""
        return tuple(need.total for need in self.needs)

    def fits(self, space: Space) -> bool:
        """Say whether all of it has room there."""
        return len(self.needs) == len(space) and not any(missing(self.space, space))


def missing(wanted: Space, space: Space) -> Space:
    """Give what is short of each place, 0 where enough is there."""
    return tuple(max(0, need - have) for need, have in zip(wanted, space, strict=True))


def plan(layout: Layout, wish: Wish, space: Space) -> Plan:
    """Settle every `auto` of one model for the room that `space` has."""
    return share([(layout, wish)], space)[0]


def share(models: Sequence[tuple[Layout, Wish]], space: Space) -> list[Plan]:
    """Settle every `auto` of models that live together; what is asked for in numbers is taken, fitting or not.

    All that leave their context to us get the same number of cells. It first goes down to FEWEST_CELLS to keep every
    layer on the GPUs; then layers stay on the CPU; then it goes down further. If nothing fits, the smallest is given.
    """
    most = max(_cells_at_most(layout, wish, gpus=len(space) > 1) for layout, wish in models)
    least = min(FEWEST_CELLS, most)

    def fits(cells: int) -> bool:
        return not any(missing(total(_beside(models, space, cells)), space))

    def on_gpus(cells: int) -> bool:
        free = [pair for pair in zip(models, _beside(models, space, cells), strict=True) if pair[0][1].layers is None]
        return fits(cells) and all(each.layers > len(layout.layers) for (layout, _), each in free)

    if len(space) > 1 and on_gpus(least):
        return _beside(models, space, _largest(least, most, on_gpus))
    if len(space) > 1 and fits(least):
        return _beside(models, space, least)
    return _beside(models, space, _largest(CELLS, most, fits))


def total(plans: Sequence[Plan]) -> Space:
    """Give the bytes that plans take together of each place."""
    return tuple(map(sum, zip(*(each.space for each in plans), strict=True)))


def less(space: Space, taken: Space) -> Space:
    """Give what is left of each place."""
    return tuple(max(0, have - gone) for have, gone in zip(space, taken, strict=True))


def _beside(models: Sequence[tuple[Layout, Wish]], space: Space, cells: int) -> list[Plan]:
    """Place one model after the other, each in what the ones before it leave."""
    plans: list[Plan] = []
    for layout, wish in models:
        at_most = _cells_at_most(layout, wish, gpus=len(space) > 1)
        plans.append(_placed(layout, wish, space, at_most if wish.context is not None else min(cells, at_most)))
        space = less(space, plans[-1].space)
    return plans


def _cells_at_most(layout: Layout, wish: Wish, *, gpus: bool) -> int:
    if wish.context is not None:
        return _rounded(wish.context or layout.trained)
    slots = wish.slots or (GPU_SLOTS if gpus else CPU_SLOTS)
    return _rounded(min(MOST_CELLS, slots * layout.trained))


def _placed(layout: Layout, wish: Wish, space: Space, cells: int) -> Plan:
    """Put so many cells, and as many layers as fit or are asked for, on the places."""
    gpus = space[1:]
    load = _Load(layout, wish, cells, wish.slots or _slots(layout, cells, gpus=bool(gpus)))
    whole = len(layout.layers) + 1
    if not gpus:
        return load.split(())
    if wish.layers is not None:
        return load.split(_shares(min(wish.layers, whole), wish.split, gpus))
    if wish.split:
        plans = (load.split(_shares(layers, wish.split, gpus)) for layers in range(whole, -1, -1))
        return next(each for each in plans if not any(missing(each.space, space)[1:]))
    filled = (load.filled(layers, gpus) for layers in range(whole, -1, -1))
    return load.split(next(split for split in filled if split is not None))


def _slots(layout: Layout, cells: int, *, gpus: bool) -> int:
    """Give the slots of `auto`: each has the cells of a conversation, or all that the model was trained with."""
    return max(1, min(GPU_SLOTS if gpus else CPU_SLOTS, cells // min(CELLS_PER_SLOT, layout.trained)))


def _shares(layers: int, shares: Sequence[float], gpus: Space) -> tuple[int, ...]:
    """Share layers out by the given shares, or by the free bytes, as llama.cpp does."""
    weights = [*shares, *[0.0] * len(gpus)][: len(gpus)] if any(shares) else [float(max(free, 1)) for free in gpus]
    whole = sum(weights) or 1.0
    ends = [sum(weights[: index + 1]) / whole for index in range(len(weights))]
    counts = [0] * len(gpus)
    for layer in range(layers):
        counts[next((at for at, end in enumerate(ends) if layer / layers < end), len(gpus) - 1)] += 1
    return tuple(counts)


@dataclass(frozen=True, slots=True)
class _Load:
    """A model with so many cells and slots; layer `len(layout.layers)` is the output."""

    layout: Layout
    wish: Wish
    cells: int
    slots: int

    def filled(self, layers: int, gpus: Space) -> tuple[int, ...] | None:
        """Share the last `layers` out, in order: each GPU takes as many as fit; None when some are left over."""
        whole = len(self.layout.layers) + 1
        due = list(range(whole - layers, whole))
        split: list[int] = []
        for free in gpus:
            taken = 0
            room = free - self._compute(self.wish.batch) - _DRIVER
            while (
                taken < len(due) and (room := room - self._weights(due[taken], on_gpu=True) - self._kv(due[taken])) >= 0
            ):
                taken += 1
            split.append(taken)
            due = due[taken:]
        return None if due else tuple(split)

    def split(self, split: tuple[int, ...]) -> Plan:
        """Count what each place holds when the last layers are on the GPUs, `split` many on each."""
        first = len(self.layout.layers) + 1 - sum(split)
        in_ram = Need(
            weights=self.layout.inputs + sum(self._weights(layer, on_gpu=False) for layer in range(first)),
            kv=sum(self._kv(layer) for layer in range(first)),
            compute=self._compute(min(self.wish.batch, _CPU_ROWS)) + self._logits(),
            base=_PROCESS + self.layout.vocabulary * _PER_TOKEN,
        )
        needs = [in_ram]
        for count in split:
            needs.append(self._on_gpu(range(first, first + count)))
            first += count
        return Plan(self.cells, self.slots, sum(split), split, tuple(needs))

    def _on_gpu(self, layers: range) -> Need:
        if not layers:
            return Need()
        return Need(
            weights=sum(self._weights(layer, on_gpu=True) for layer in layers),
            kv=sum(self._kv(layer) for layer in layers),
            compute=self._compute(self.wish.batch),
            base=_DRIVER,
        )

    def _weights(self, layer: int, *, on_gpu: bool) -> int:
        """Give the weights of a layer; the output may share those of the embeddings, which a GPU holds again."""
        if layer == len(self.layout.layers):
            return self.layout.outputs + (self.layout.shared if on_gpu else 0)
        return self.layout.layers[layer] + (0 if on_gpu else self.layout.repacked[layer])

    def _kv(self, layer: int) -> int:
        if layer == len(self.layout.layers):
            return 0
        return self.cells * kv_bytes(self.layout.cell[layer], self.wish.kv_type) + self.slots * self.layout.state

    def _logits(self) -> int:
        return self.slots * self.layout.vocabulary * 4

    def _compute(self, rows: int) -> int:
        masks = 2 * self.cells if self.wish.flash else (4 + 4 * self.layout.heads) * self.cells
        return self._logits() + rows * (4 * (2 * self.layout.inner + 4 * self.layout.width) + masks)


def _largest(least: int, most: int, fits: Callable[[int], bool]) -> int:
    """Give the most cells that fit, in blocks; `least` when none do."""
    low, high = least // CELLS, most // CELLS
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(middle * CELLS) else (low, middle - 1)
    return low * CELLS


def _rounded(cells: int) -> int:
    return max(CELLS, -(-cells // CELLS) * CELLS)
