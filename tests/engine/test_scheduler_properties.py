"""Whatever arrives, is cancelled or fails, in whatever order: the scheduler's rules hold after every step."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from glasnost.engine.scheduler import Scheduler
from glasnost.engine.sequence import Sequence
from glasnost.engine.step import Copy, Limits
from glasnost.engine.turns import TURN
from glasnost.errors import QueueFull

CELLS = 96


class Memory:
    """What llama.cpp would hold: for each slot the cell of each position, cells shared by copies."""

    def __init__(self):
        self.cells = {}
        self.fresh = 0

    def apply(self, operation):
        if isinstance(operation, Copy):
            for at in range(operation.start, operation.stop):
                assert (operation.target, at) not in self.cells
                self.cells[operation.target, at] = self.cells[operation.source, at]
        else:
            for slot, at in [key for key in self.cells if key[0] == operation.slot and key[1] >= operation.start]:
                del self.cells[slot, at]

    def decode(self, span, adapters):
        for offset, token in enumerate(span.tokens):
            at = span.start + offset
            assert at == 0 or (span.slot, at - 1) in self.cells, "a hole in the sequence"
            assert (span.slot, at) not in self.cells, "a position is computed twice"
            self.fresh += 1
            self.cells[span.slot, at] = (self.fresh, (token, adapters))

    def used(self):
        return len({number for number, _ in self.cells.values()})

    def held(self, slot, length):
        return [self.cells[slot, at][1] for at in range(length)]


# Few different tokens and common openings, so that prefixes really are shared.
openings = st.sampled_from([(), (1,) * 40, (1,) * 40 + (2,) * 10, (3,) * 36])
prompts = st.builds(
    lambda opening, rest: (*opening, *rest), openings, st.lists(st.integers(1, 3), min_size=1, max_size=30)
)
sets = st.sampled_from([(), (), ((0, 1.0),), ((0, 0.5),), ((0, 1.0), (1, 1.0))])
specs = st.tuples(prompts, st.integers(1, 12), sets)
arrivals = st.tuples(st.just("submit"), st.lists(specs, min_size=1, max_size=2))
actions = st.one_of(
    arrivals,
    arrivals,
    st.tuples(st.just("step"), st.integers(1, 6)),
    st.tuples(st.just("cancel"), st.integers(0, 30)),
    st.tuples(st.just("abandon"), st.just(0)),
)
limits = st.builds(
    lambda slots, extra, chunk, queue: Limits(slots, CELLS, queue, slots + extra, chunk),
    st.integers(1, 4),
    st.integers(0, 40),
    st.integers(1, 20),
    st.integers(0, 6),
)


class Run:
    def __init__(self, bounds):
        self.bounds = bounds
        self.scheduler = Scheduler(bounds)
        self.memory = Memory()
        self.live = []
        self.first_steps = []
        self.number = 0
        self.waited = {}

    def submit(self, specs):
        group = [Sequence(*spec) for spec in specs]
        places = self.bounds.slots + self.bounds.queue
        outstanding = self.scheduler.busy + self.scheduler.queued
        try:
            self.scheduler.submit(group)
        except QueueFull:
            assert outstanding + len(group) > places
            return
        assert outstanding + len(group) <= places
        self.live += group

    def cancel(self, index):
        if self.live:
            self.scheduler.cancel(self.live.pop(index % len(self.live)))

    def step(self, *, abandon=False):
        before = {slot.index: slot.sequence for slot in self.scheduler.slots}
        step = self.scheduler.plan()
        if step is None:
            assert not self.live, "somebody waits, and nothing is planned"
            return
        for slot in sorted(self.scheduler.slots, key=lambda slot: slot.since):
            if slot.sequence is not None and slot.sequence is not before[slot.index] and not slot.sequence.generated:
                self.first_steps.append(slot.sequence)
        assert sum(len(span.tokens) for span in step.spans) <= self.bounds.budget
        assert len({span.slot for span in step.spans}) == len(step.spans)
        for operation in step.operations:
            self.memory.apply(operation)
        for span in step.spans:
            self.memory.decode(span, step.adapters)
        assert self.memory.used() <= CELLS
        self.take_turns(step)
        if abandon:
            self.scheduler.abandon(step)
            return
        for sequence in self.scheduler.commit(step):
            if sequence is not None:
                self.sampled(sequence)
        self.check()

    def sampled(self, sequence):
        self.number += 1
        sequence.tokens.append(self.number % 3 + 1)
        if sequence.spent:
            self.scheduler.finish(sequence)
            self.live.remove(sequence)

    def check(self):
        assert self.scheduler.cells_used == self.memory.used()
        for slot in self.scheduler.slots:
            held = [(token, slot.adapters) for token in slot.tokens[: len(slot.cells)]]
            assert self.memory.held(slot.index, len(slot.cells)) == held
            if slot.sequence is not None:
                assert slot.tokens is slot.sequence.tokens
                assert slot.adapters == slot.sequence.adapters

    def take_turns(self, step):
        """See that a step is of one set, and that no other waited for longer than a turn of each."""
        running = [slot for slot in self.scheduler.slots if slot.sequence is not None]
        if not step.spans:
            return
        assert all(self.scheduler.slots[span.slot].adapters == step.adapters for span in step.spans)
        ready = {slot.adapters for slot in running if slot.leader is None and slot.pending}
        self.waited = {each: self.waited.get(each, -1) + 1 for each in ready if each != step.adapters}
        assert max(self.waited.values(), default=0) <= self.bounds.slots * TURN


@settings(max_examples=300, deadline=None)
@given(limits, st.lists(actions, max_size=40))
def test_the_rules_hold_and_everything_ends(bounds, script):
    run = Run(bounds)
    order = []
    for action, value in script:
        if action == "submit":
            known = len(run.live)
            run.submit(value)
            order += run.live[known:]
        elif action == "cancel":
            run.cancel(value)
        elif action == "abandon":
            run.step(abandon=True)
        else:
            for _ in range(value):
                run.step()
    for _ in range(5_000):
        if not run.live:
            break
        run.step()
    assert not run.live, "somebody was never served"
    admitted = [sequence for index, sequence in enumerate(run.first_steps) if sequence not in run.first_steps[:index]]
    assert admitted == [sequence for sequence in order if sequence in admitted], "somebody was served out of turn"
