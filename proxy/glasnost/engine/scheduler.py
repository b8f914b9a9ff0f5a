"""Who computes what in the next step: slots, the queue, the token budget, prefix reuse and room in the KV cache.

Rules kept here:
- Admission is in order of arrival. A request that does not fit waits, and so do those behind it.
- A step holds at most `budget` tokens: first one for every sequence that decodes, then chunks of prompts, oldest
  first; at most `chunk` prompt tokens while anyone decodes.
- A slot keeps its cells after its sequence ended. The next prompt starts behind the longest prefix that any slot
  holds; a prefix that another slot is still computing is waited for and copied instead of computed twice.
- What running sequences hold and still need never exceeds the cache. Room is made from idle slots, least recently
  used first; when that is not enough, the youngest sequence goes back to the head of the queue and continues later.
- A step holds sequences with one set of adapters; sets take turns. Prefixes count between equal sets only.

Nothing here knows a model: plans and outcomes are plain values.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence as Ordered

from glasnost.engine.adapters import Adapters
from glasnost.engine.cache import Cells, Slot, common_prefix
from glasnost.engine.sequence import Sequence
from glasnost.engine.step import Copy, Limits, Operation, Remove, Span, Step
from glasnost.engine.turns import Turns
from glasnost.errors import QueueFull

# Waiting for another slot's prefix, or evicting less than this, saves too little to be worth an operation.
_WORTHWHILE = 32


class Scheduler:
    """Plans one step at a time: `plan`, then either `commit` or `abandon`; `submit` and `cancel` at any time."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.slots = [Slot(index) for index in range(limits.slots)]
        self._cells = Cells(limits.cells)
        self._waiting: deque[Sequence] = deque()
        #: Whom the last plan gave a slot, be it again.
        self.admitted: list[Sequence] = []
        self._operations: list[Operation] = []
        self._turns = Turns()
        self._clock = 0

    @property
    def busy(self) -> int:
        """How many slots run a sequence."""
        return sum(slot.sequence is not None for slot in self.slots)

    @property
    def queued(self) -> int:
        """How many sequences wait for a slot."""
        return len(self._waiting)

    @property
    def cells_used(self) -> int:
        """How many cells of the KV cache hold something, for running sequences or for reuse."""
        return self._cells.used

    def submit(self, group: Ordered[Sequence]) -> None:
        """Queue sequences that belong together: all of them, or none and QueueFull."""
        if self.queued + self.busy + len(group) > self.limits.slots + self.limits.queue:
            raise QueueFull(
                f"All {self.limits.slots} slots and {self.limits.queue} places in the queue are taken.", retry_after=1
            )
        for sequence in group:
            if len(sequence.prompt) + sequence.limit > self.limits.cells:
                raise ValueError("a sequence must fit into the cache alone")
        self._waiting.extend(group)

    def cancel(self, sequence: Sequence) -> None:
        """End a sequence: at once when it waits, with the next plan when it runs."""
        sequence.cancelled = True
        if sequence in self._waiting:
            self._waiting.remove(sequence)

    def finish(self, sequence: Sequence) -> None:
        """Free the slot of a sequence; its cells stay for reuse."""
        for slot in self.slots:
            if slot.sequence is sequence:
                self._vacate(slot)

    def plan(self) -> Step | None:
        """Give the next step, or None when there is nothing to compute."""
        for slot in self._running():
            if slot.sequence is not None and slot.sequence.cancelled:
                self._vacate(slot)
        self._make_room()
        self.admitted = []
        while self._waiting and self._admit(self._waiting[0]):
            self.admitted.append(self._waiting.popleft())
        for slot in self._running():
            self._follow(slot)
        operations, self._operations = tuple(self._operations), []
        adapters, spans = self._spans()
        return Step(operations, spans, adapters) if spans or operations else None

    def computed_by(self, step: Step) -> list[Sequence]:
        """Give the sequences that a step works for."""
        members = (self.slots[span.slot].sequence for span in step.spans)
        return [sequence for sequence in members if sequence is not None]

    def commit(self, step: Step) -> list[Sequence | None]:
        """Note that a step was computed; give for each span the sequence that gets a token now, if it does."""
        sampled: list[Sequence | None] = []
        for span in step.spans:
            slot = self.slots[span.slot]
            slot.cells += self._cells.take(len(span.tokens))
            wanted = span.sampled and slot.sequence is not None and not slot.sequence.cancelled
            sampled.append(slot.sequence if wanted else None)
        return sampled

    def abandon(self, step: Step) -> None:
        """Note that a step was not computed; the next plan drops what it may have left in the cache."""
        for span in step.spans:
            slot = self.slots[span.slot]
            if self.limits.partial:
                self._operations.append(Remove(slot.index, span.start))
            else:
                self._truncate(slot, 0)
                self._operations.append(Remove(slot.index, 0))

    def give_way(self) -> Sequence | None:
        """Make room after llama.cpp found none: empty the idle slots, or name the sequence that must fail."""
        idle = [slot for slot in self.slots if slot.sequence is None and slot.cells]
        for slot in idle:
            self._truncate(slot, 0)
        return None if idle else self._running()[-1].sequence

    def _running(self) -> list[Slot]:
        return sorted((slot for slot in self.slots if slot.sequence is not None), key=lambda slot: slot.since)

    def _vacate(self, slot: Slot) -> None:
        self._clock += 1
        slot.sequence, slot.leader, slot.since = None, None, self._clock

    def _truncate(self, slot: Slot, start: int) -> None:
        if start < len(slot.cells):
            self._cells.release(slot.cells[start:])
            del slot.cells[start:]
            self._operations.append(Remove(slot.index, start))

    def _copy(self, source: Slot, target: Slot, stop: int) -> None:
        start = len(target.cells)
        shared = source.cells[start:stop]
        self._cells.share(shared)
        target.cells += shared
        self._operations.append(Copy(source.index, target.index, start, stop))

    # Room

    def _free(self) -> int:
        return self.limits.cells - self._cells.used - sum(slot.pending for slot in self.slots)

    def _make_room(self) -> None:
        while self._free() < 0:
            if not self._evict(-self._free()):
                youngest = self._running()[-1]
                assert youngest.sequence is not None  # noqa: S101 - _running gives only slots that have one
                self._waiting.appendleft(youngest.sequence)
                self._vacate(youngest)

    def _evict(self, missing: int) -> bool:
        idle = [slot for slot in self.slots if slot.sequence is None and slot.cells]
        if not idle:
            return False
        oldest = min(idle, key=lambda slot: slot.since)
        rest = len(oldest.cells) - max(missing, _WORTHWHILE)
        self._truncate(oldest, max(0, rest) if self.limits.partial else 0)
        return True

    def _fits(self, sequence: Sequence, shared: list[int]) -> bool:
        running = self._running()
        missing = len(sequence.tokens) - len(shared) + len(running)
        if missing <= self._free():
            return True
        held = set(shared).union(*(slot.cells for slot in running))
        return missing <= self.limits.cells - len(held) - sum(slot.pending for slot in running)

    # Admission

    def _admit(self, sequence: Sequence) -> bool:
        idle = [slot for slot in self.slots if slot.sequence is None]
        if not idle:
            return False
        target, source, length = self._placement(sequence, idle)
        if not self._fits(sequence, source.cells[:length]):
            return False
        if source is not target:
            self._truncate(target, 0)
            self._copy(source, target, length)
        self._truncate(target, length)
        self._clock += 1
        target.adapters = sequence.adapters
        target.leader = self._leader(sequence, length)
        target.tokens, target.sequence, target.since = sequence.tokens, sequence, self._clock
        if not sequence.generated:
            sequence.reused = length
        while self._free() < 0 and self._evict(-self._free()):
            pass
        return True

    def _placement(self, sequence: Sequence, idle: list[Slot]) -> tuple[Slot, Slot, int]:
        """Choose the slot to run in, the slot whose prefix it starts from, and that prefix's length."""
        prefixes = [self._prefix(slot, sequence) for slot in self.slots]
        target = max(idle, key=lambda slot: (prefixes[slot.index], -slot.since))
        if prefixes[target.index] * 2 < len(target.cells):
            # Running here would throw away most of another conversation's cache.
            target = min(idle, key=lambda slot: (bool(slot.cells), slot.since))
        source = max(self.slots, key=lambda slot: (prefixes[slot.index], slot is target))
        if not self.limits.partial:
            source = target
        return target, source, prefixes[source.index]

    def _prefix(self, slot: Slot, sequence: Sequence) -> int:
        """Count the reusable cells of a slot; the last token is always computed, for its logits."""
        if slot.adapters != sequence.adapters:
            return 0
        limit = min(len(slot.cells), len(sequence.tokens) - 1)
        length = common_prefix(slot.tokens, sequence.tokens, limit)
        return length if self.limits.partial or length == len(slot.cells) else 0

    def _leader(self, sequence: Sequence, length: int) -> tuple[Slot, Sequence, int] | None:
        if not self.limits.partial:
            return None
        best: tuple[Slot, Sequence, int] | None = None
        for slot in self._running():
            if slot.sequence is not None and slot.pending > 1 and slot.adapters == sequence.adapters:
                shared = common_prefix(slot.tokens, sequence.tokens, len(sequence.tokens) - 1)
                if shared >= length + _WORTHWHILE:
                    best, length = (slot, slot.sequence, shared), shared
        return best

    def _follow(self, slot: Slot) -> None:
        if slot.leader is None or slot.sequence is None:
            return
        source, sequence, length = slot.leader
        if source.tokens is not sequence.tokens:
            slot.leader = None
            return
        stop = min(length, len(source.cells))
        if stop > len(slot.cells):
            if not slot.sequence.generated:
                slot.sequence.reused += stop - len(slot.cells)
            self._copy(source, slot, stop)
        if stop == length or source.sequence is not sequence:
            slot.leader = None

    # The batch

    def _spans(self) -> tuple[Adapters, tuple[Span, ...]]:
        ready = [slot for slot in self._running() if slot.leader is None]
        if not ready:
            return (), ()
        adapters = self._turns.next(slot.adapters for slot in ready)
        turn = [slot for slot in ready if slot.adapters == adapters]
        spans = [self._span(slot, 1) for slot in turn if slot.pending == 1]
        room = self.limits.budget - len(spans)
        # Those who decode wait for a step of other adapters too.
        if any(slot.pending == 1 for slot in ready):
            room = min(room, self.limits.chunk)
        for slot in turn:
            if slot.pending > 1 and room:
                span = self._span(slot, room)
                room -= len(span.tokens)
                spans.append(span)
        return adapters, tuple(spans)

    def _span(self, slot: Slot, room: int) -> Span:
        start = len(slot.cells)
        number = min(slot.pending, room)
        return Span(slot.index, start, slot.tokens[start : start + number], sampled=number == slot.pending)
