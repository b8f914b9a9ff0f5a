"""Sets of adapters take turns, and share nothing of the cache."""

from __future__ import annotations

from glasnost.engine.scheduler import Scheduler
from glasnost.engine.sequence import Sequence
from glasnost.engine.step import Copy, Limits
from glasnost.engine.turns import TURN, Turns

PLAIN, FIRST, HALF = (), ((0, 1.0),), ((0, 0.5),)


def scheduler(*, slots=3, budget=64, chunk=8):
    return Scheduler(Limits(slots=slots, cells=512, queue=8, budget=budget, chunk=chunk))


def run(plan, steps=1_000):
    """Run to the end, every new token being 7; give the steps."""
    taken = []
    while len(taken) < steps and (step := plan.plan()) is not None:
        taken.append(step)
        for sampled in plan.commit(step):
            if sampled is not None:
                sampled.tokens.append(7)
                if sampled.spent:
                    plan.finish(sampled)
    return taken


def test_a_set_that_is_alone_keeps_its_turn():
    turns = Turns(2)
    assert [turns.next([FIRST, FIRST]) for _ in range(5)] == [FIRST] * 5


def test_sets_take_turns_of_so_many_steps_in_the_order_of_their_arrival():
    turns = Turns(2)
    assert [turns.next([HALF, FIRST, PLAIN]) for _ in range(7)] == [HALF, HALF, FIRST, FIRST, PLAIN, PLAIN, HALF]


def test_a_set_that_comes_is_the_last_and_one_that_ends_gives_its_turn_away():
    turns = Turns(2)
    assert turns.next([FIRST]) == FIRST
    assert [turns.next([PLAIN, HALF, FIRST]) for _ in range(2)] == [FIRST, PLAIN]
    assert [turns.next([HALF, FIRST]) for _ in range(3)] == [HALF, HALF, FIRST]


def test_a_set_that_was_alone_for_long_makes_way_at_once():
    turns = Turns(2)
    for _ in range(9):
        turns.next([FIRST])
    assert turns.next([FIRST, PLAIN]) == PLAIN


def test_streams_of_different_adapters_never_share_a_step_and_go_on_together():
    plan = scheduler()
    plan.submit([Sequence((index, 9), 20, adapters) for index, adapters in enumerate((PLAIN, FIRST, HALF))])
    steps = run(plan)
    assert all(len(step.spans) == 1 for step in steps)
    assert [step.adapters for step in steps[: 4 * TURN : TURN]] == [PLAIN, FIRST, HALF, PLAIN]
    assert len(steps) == 60


def test_streams_of_the_same_adapters_share_their_steps():
    plan = scheduler()
    plan.submit([Sequence((index, 9), 20, FIRST) for index in range(3)])
    assert len(run(plan)) == 20


def test_a_long_prompt_is_cut_in_chunks_while_a_stream_of_other_adapters_waits():
    plan = scheduler(budget=64, chunk=8)
    plan.submit([Sequence((1, 2), 100, PLAIN)])
    run(plan, steps=3)
    plan.submit([Sequence(tuple(range(10, 210)), 4, FIRST)])
    steps = run(plan, steps=40)
    assert max(len(span.tokens) for step in steps for span in step.spans) == 8
    assert {step.adapters for step in steps[: 2 * TURN]} == {PLAIN, FIRST}


def test_a_prefix_counts_only_between_equal_adapters():
    plan = scheduler()
    prompt = tuple(range(100, 160))
    for adapters, reused in ((FIRST, 0), (PLAIN, 0), (HALF, 0), (FIRST, 59), (PLAIN, 59), (HALF, 59)):
        sequence = Sequence(prompt, 2, adapters)
        plan.submit([sequence])
        run(plan)
        assert sequence.reused == reused


def test_nobody_waits_for_a_prefix_that_is_computed_with_other_adapters():
    plan = scheduler(budget=16)
    prompt = tuple(range(100, 160))
    group = [Sequence((*prompt, 1), 2, FIRST), Sequence((*prompt, 2), 2, PLAIN), Sequence((*prompt, 3), 2, FIRST)]
    plan.submit(group)
    copies = [operation for step in run(plan) for operation in step.operations if isinstance(operation, Copy)]
    assert {(copy.source, copy.target) for copy in copies} == {(0, 2)}
    assert [sequence.reused for sequence in group] == [0, 0, 60]
