"""The scheduler without a model: order, budget, room, reuse, and that everything ends."""

from __future__ import annotations

import pytest

from glasnost.engine.scheduler import Scheduler
from glasnost.engine.sequence import Sequence
from glasnost.engine.step import Copy, Limits, Remove
from glasnost.errors import QueueFull


def scheduler(*, slots=2, cells=256, queue=8, budget=16, chunk=8, partial=True):
    return Scheduler(Limits(slots=slots, cells=cells, queue=queue, budget=budget, chunk=chunk, partial=partial))


def sequence(prompt, limit=4):
    return Sequence(tuple(prompt), limit)


def tokens_of(step):
    return sum(len(span.tokens) for span in step.spans)


def run(plan, *, steps=10_000):
    """Run to the end, every new token being 7; give the steps."""
    taken = []
    for _ in range(steps):
        step = plan.plan()
        if step is None:
            return taken
        taken.append(step)
        for sampled in plan.commit(step):
            if sampled is not None:
                sampled.tokens.append(7)
                if sampled.spent:
                    plan.finish(sampled)
    raise AssertionError("it never ends")


def test_a_prompt_is_computed_in_chunks_of_the_budget_and_sampled_once_it_is_whole():
    plan = scheduler(budget=16)
    plan.submit([sequence(range(100, 140), limit=1)])
    steps = run(plan)
    assert [tokens_of(step) for step in steps] == [16, 16, 8]
    assert [step.spans[0].start for step in steps] == [0, 16, 32]
    assert [step.spans[0].sampled for step in steps] == [False, False, True]


def test_those_who_decode_come_first_and_a_prompt_gets_the_chunk_beside_them():
    plan = scheduler(budget=16, chunk=8)
    first = sequence(range(100, 104), limit=8)
    plan.submit([first])
    plan.commit(plan.plan())
    first.tokens.append(7)
    plan.submit([sequence(range(200, 240))])
    step = plan.plan()
    assert [(span.slot, len(span.tokens)) for span in step.spans] == [(0, 1), (1, 8)]


def test_requests_beyond_the_slots_wait_and_start_in_order():
    plan = scheduler(slots=1)
    waiting = [sequence([number] * 3, limit=1) for number in range(4)]
    for each in waiting:
        plan.submit([each])
    started = []
    while (step := plan.plan()) is not None:
        for sampled in plan.commit(step):
            started.append(waiting.index(sampled))
            plan.finish(sampled)
    assert started == [0, 1, 2, 3]


def test_the_queue_takes_as_many_as_it_says_and_then_no_more():
    plan = scheduler(slots=2, queue=3)
    for number in range(5):
        plan.submit([sequence([number, 1])])
    with pytest.raises(QueueFull):
        plan.submit([sequence([9, 1])])
    plan.plan()
    assert (plan.busy, plan.queued) == (2, 3)
    with pytest.raises(QueueFull):
        plan.submit([sequence([9, 1])])


def test_a_group_is_taken_whole_or_not_at_all():
    plan = scheduler(slots=2, queue=1)
    with pytest.raises(QueueFull):
        plan.submit([sequence([1, 2]) for _ in range(4)])
    assert plan.queued == 0


def test_a_cancelled_sequence_frees_its_slot_with_the_next_plan():
    plan = scheduler(slots=1)
    running, next_one = sequence(range(40)), sequence(range(100, 110))
    plan.submit([running])
    plan.submit([next_one])
    plan.plan()
    plan.cancel(running)
    plan.plan()
    assert [slot.sequence for slot in plan.slots] == [next_one]


def test_a_cancelled_sequence_gets_no_token_from_the_step_that_was_running():
    plan = scheduler()
    running = sequence([1, 2, 3])
    plan.submit([running])
    step = plan.plan()
    plan.cancel(running)
    assert plan.commit(step) == [None]


def test_a_cancelled_sequence_leaves_the_queue_at_once():
    plan = scheduler(slots=1)
    running, waiting = sequence([1, 2]), sequence([3, 4])
    plan.submit([running])
    plan.submit([waiting])
    plan.plan()
    plan.cancel(waiting)
    assert plan.queued == 0


def test_the_next_turn_of_a_conversation_computes_only_what_is_new():
    plan = scheduler(budget=64)
    first = sequence(range(100, 140), limit=3)
    plan.submit([first])
    run(plan)
    second = sequence([*first.tokens, 1, 2, 3], limit=1)
    plan.submit([second])
    [step] = run(plan)
    # The last token that was generated never went through the model.
    assert second.reused == 42
    assert step.spans[0].tokens == [7, 1, 2, 3]
    assert step.operations == ()


def test_the_same_prompt_again_computes_its_last_token_for_the_logits():
    plan = scheduler(slots=1, budget=64)
    for _ in range(2):
        again = sequence(range(100, 140), limit=1)
        plan.submit([again])
        [step] = run(plan)
    assert again.reused == 39
    assert step.operations == (Remove(slot=0, start=39),)
    assert step.spans[0].tokens == [139]


def test_a_prefix_in_another_slot_is_copied_when_running_there_would_waste_that_slot():
    plan = scheduler(slots=2, budget=256)
    system = list(range(100, 140))
    plan.submit([sequence([*system, *range(1000, 1100)], limit=1)])
    run(plan)
    other = sequence([*system, 5, 6], limit=1)
    plan.submit([other])
    [step] = run(plan)
    assert step.operations == (Copy(source=0, target=1, start=0, stop=40),)
    assert other.reused == 40
    assert len(plan.slots[0].cells) == 140


def test_shared_cells_count_once():
    plan = scheduler(slots=2, budget=256)
    system = list(range(100, 140))
    plan.submit([sequence([*system, *range(1000, 1100)], limit=1)])
    run(plan)
    plan.submit([sequence([*system, 5, 6], limit=1)])
    run(plan)
    assert plan.cells_used == 140 + 2


def test_requests_that_arrive_together_compute_their_common_prefix_once():
    plan = scheduler(slots=4, cells=2048, budget=64)
    system = list(range(100, 300))
    group = [sequence([*system, number, number], limit=2) for number in range(4)]
    for each in group:
        plan.submit([each])
    steps = run(plan)
    computed = sum(tokens_of(step) for step in steps)
    assert computed == 202 + 3 * 2 + 4
    assert [each.reused for each in group] == [0, 200, 200, 200]


def test_choices_of_one_request_share_the_prompt():
    plan = scheduler(slots=3, cells=2048, budget=64)
    group = [sequence(range(100, 200), limit=1) for _ in range(3)]
    plan.submit(group)
    steps = run(plan)
    assert sum(tokens_of(step) for step in steps) == 100 + 2


def test_those_who_wait_for_a_prefix_compute_it_themselves_when_its_owner_is_cancelled():
    plan = scheduler(slots=2, cells=2048, budget=32)
    leader, follower = (sequence([*range(100, 200), number], limit=1) for number in (1, 2))
    plan.submit([leader])
    plan.submit([follower])
    plan.commit(plan.plan())
    plan.cancel(leader)
    run(plan)
    assert follower.generated == 1


def test_idle_slots_make_room_least_recently_used_first():
    plan = scheduler(slots=3, cells=120, budget=128)
    for start in (100, 200):
        plan.submit([sequence(range(start, start + 50), limit=1)])
        run(plan)
    plan.submit([sequence(range(300, 340), limit=1)])
    run(plan)
    assert [len(slot.cells) for slot in plan.slots] == [18, 50, 40]


def test_a_request_waits_until_its_prompt_fits_beside_those_that_run():
    plan = scheduler(slots=2, cells=100, budget=128)
    first, second = sequence(range(100, 160), limit=20), sequence(range(200, 250), limit=1)
    plan.submit([first])
    plan.submit([second])
    plan.commit(plan.plan())
    assert (plan.busy, plan.queued) == (1, 1)
    first.tokens.append(7)
    run(plan)
    assert (first.generated, second.generated) == (20, 1)


def test_when_room_runs_out_the_youngest_waits_and_goes_on_later():
    plan = scheduler(slots=2, cells=100, budget=128)
    old, young = sequence(range(100, 140), limit=40), sequence(range(200, 230), limit=40)
    plan.submit([old])
    plan.submit([young])
    ends = []
    for _ in range(1000):
        step = plan.plan()
        if step is None:
            break
        for sampled in plan.commit(step):
            if sampled is not None:
                sampled.tokens.append(7)
                if sampled.spent:
                    plan.finish(sampled)
                    ends.append(sampled)
    assert ends == [old, young]
    assert young.generated == 40


def test_an_abandoned_step_is_planned_again():
    plan = scheduler(budget=16)
    plan.submit([sequence(range(100, 120))])
    step = plan.plan()
    plan.abandon(step)
    again = plan.plan()
    assert again.operations == (Remove(slot=0, start=0),)
    assert again.spans == step.spans


def test_without_partial_caches_only_a_whole_one_is_continued():
    plan = scheduler(slots=1, budget=256, partial=False)
    first = sequence(range(100, 140), limit=2)
    plan.submit([first])
    run(plan)
    longer = sequence([*first.tokens, 1], limit=1)
    plan.submit([longer])
    run(plan)
    assert longer.reused == 41
    other = sequence([*range(100, 120), 1, 2], limit=1)
    plan.submit([other])
    [step] = run(plan)
    assert other.reused == 0
    assert step.operations == (Remove(slot=0, start=0),)


def test_when_llama_finds_no_room_idle_caches_go_first_and_then_the_youngest():
    plan = scheduler(slots=2, budget=128)
    plan.submit([sequence(range(50), limit=1)])
    run(plan)
    running = sequence(range(100, 120))
    plan.submit([running])
    step = plan.plan()
    plan.abandon(step)
    assert plan.give_way() is None
    assert plan.give_way() is running


@pytest.mark.parametrize("wrong", [{"slots": 0}, {"cells": 0}, {"queue": -1}, {"budget": 1, "slots": 2}, {"chunk": 0}])
def test_limits_that_cannot_work_are_refused(wrong):
    with pytest.raises(ValueError, match="unusable limits"):
        scheduler(**wrong)


def test_a_sequence_that_can_never_fit_is_refused():
    plan = scheduler(cells=10)
    with pytest.raises(ValueError, match="must fit"):
        plan.submit([sequence(range(8), limit=3)])
