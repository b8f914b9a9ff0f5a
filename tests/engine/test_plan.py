"""The planner's arithmetic: what each place holds, and what `auto` comes to."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glasnost.engine.layout import Layout
from glasnost.engine.plan import CELLS, CPU_SLOTS, GPU_SLOTS, MOST_CELLS, Need, Plan, Wish, plan, share, total
from glasnost.engine.sums import arithmetic, refusal, shortage

MIB = 1 << 20
GIB = 1 << 30

#: About a model of 7 billion parameters in 4 bits.
LARGE = Layout(
    name="large",
    layers=(120 * MIB,) * 32,
    repacked=(100 * MIB,) * 32,
    inputs=70 * MIB,
    outputs=100 * MIB,
    shared=0,
    cell=(2_048,) * 32,
    state=0,
    trained=32_768,
    width=4_096,
    inner=14_336,
    heads=32,
    vocabulary=32_000,
)
SMALL = replace(
    LARGE, name="small", layers=(2 * MIB,) * 30, repacked=(0,) * 30, outputs=0, shared=70 * MIB, trained=2_048
)
AUTO = Wish(None, None, None)
RAM = 64 * GIB


def test_the_cache_is_cells_times_layers_times_numbers_times_bytes():
    for kv_type, size in (("f16", 2), ("bf16", 2), ("q8_0", 34 / 32), ("q4_0", 18 / 32)):
        needs = plan(LARGE, Wish(8_192, 4, None, kv_type=kv_type), (RAM,)).needs
        assert needs[0].kv == 8_192 * 32 * 2_048 * size


def test_the_cells_are_rounded_up_and_0_is_what_the_model_was_trained_with():
    assert plan(LARGE, Wish(1_000, 1, None), (RAM,)).context == 1_024
    assert plan(LARGE, Wish(0, 1, None), (RAM,)).context == 32_768


def test_a_recurrent_state_is_held_for_each_slot():
    recurrent = replace(LARGE, cell=(0,) * 32, state=MIB)
    assert plan(recurrent, Wish(4_096, 3, None), (RAM,)).needs[0].kv == 3 * 32 * MIB


def test_on_a_cpu_some_weights_are_held_twice_and_on_a_gpu_shared_embeddings_are():
    assert plan(LARGE, Wish(256, 1, None), (RAM,)).needs[0].weights == (70 + 32 * 220 + 100) * MIB
    ram, gpu = plan(SMALL, Wish(256, 1, None), (RAM, 80 * GIB)).needs
    assert (ram.weights, gpu.weights) == (70 * MIB, (60 + 70) * MIB)


def test_without_flash_attention_every_head_has_a_mask():
    flash, plain = (plan(LARGE, Wish(8_192, 4, None, flash=on), (RAM,)).needs[0].compute for on in (True, False))
    assert plain - flash == 64 * 8_192 * (4 + 4 * 32 - 2)


def test_auto_takes_no_more_than_the_cap_and_than_the_model_can_use():
    assert plan(LARGE, AUTO, (RAM,)).context == MOST_CELLS
    assert plan(SMALL, AUTO, (RAM,)).context == CPU_SLOTS * 2_048


def test_auto_takes_what_fits_and_gives_up_slots_rather_than_their_cells():
    room = (plan(LARGE, Wish(4_096, 4, None), (RAM,)).space[0],)
    chosen = plan(LARGE, AUTO, room)
    assert chosen.fits(room)
    assert not plan(LARGE, Wish(chosen.context + CELLS, chosen.slots, None), room).fits(room)
    assert (chosen.context // 256, chosen.slots) == (16, 2)


def test_what_does_not_fit_is_given_as_small_as_it_gets():
    chosen = plan(LARGE, AUTO, (GIB,))
    assert (chosen.context, chosen.slots, chosen.fits((GIB,))) == (CELLS, 1, False)


def test_all_layers_go_to_a_gpu_that_holds_them():
    chosen = plan(LARGE, AUTO, (RAM, 80 * GIB))
    assert (chosen.layers, chosen.split, chosen.context, chosen.slots) == (33, (33,), MOST_CELLS, GPU_SLOTS)
    assert chosen.needs[0].kv == 0
    assert chosen.needs[0].weights == 70 * MIB


def test_the_context_gives_way_before_layers_do():
    chosen = plan(LARGE, AUTO, (RAM, 6 * GIB))
    assert chosen.layers == 33
    assert 4_096 <= chosen.context < MOST_CELLS
    assert chosen.fits((RAM, 6 * GIB))


def test_layers_that_do_not_fit_stay_in_ram():
    room = (RAM, 3 * GIB)
    chosen = plan(LARGE, AUTO, room)
    assert chosen.fits(room)
    assert 0 < chosen.layers < 33
    assert chosen.context == 4_096
    more = plan(LARGE, Wish(4_096, chosen.slots, chosen.layers + 1), room)
    assert not more.fits(room)


def test_several_gpus_are_filled_in_their_order():
    room = (RAM, 3 * GIB, 2 * GIB, 4 * GIB)
    chosen = plan(LARGE, Wish(4_096, 4, None), room)
    assert chosen.fits(room)
    assert sum(chosen.split) == chosen.layers == 33
    assert all(chosen.split)


def test_a_gpu_that_holds_nothing_takes_nothing():
    chosen = plan(SMALL, Wish(4_096, 4, None), (RAM, 80 * GIB, 80 * GIB))
    assert chosen.split == (31, 0)
    assert chosen.needs[2] == Need()


def test_numbers_are_taken_as_they_are_given():
    room = (RAM, 2 * GIB, 2 * GIB)
    chosen = plan(LARGE, Wish(8_192, 8, 20, split=(3.0, 1.0)), room)
    assert (chosen.context, chosen.slots, chosen.layers, chosen.split) == (8_192, 8, 20, (15, 5))
    assert not chosen.fits(room)
    assert plan(LARGE, Wish(8_192, 8, 999), room).layers == 33


def test_given_shares_leave_open_how_many_layers():
    room = (RAM, 4 * GIB, 2 * GIB)
    chosen = plan(LARGE, Wish(8_192, 4, None, split=(2.0, 1.0)), room)
    assert chosen.fits(room)
    assert abs(chosen.split[0] - 2 * chosen.split[1]) <= 2


def test_models_that_live_together_get_the_same_cells():
    room = (plan(LARGE, Wish(8_192, 4, None), (RAM,)).space[0] * 2,)
    first, second = share([(LARGE, AUTO), (LARGE, AUTO)], room)
    assert first.context == second.context >= 8_192
    assert not any(need > have for need, have in zip(total([first, second]), room, strict=True))


def test_a_context_in_numbers_is_no_ones_to_share():
    fixed, free = share([(LARGE, Wish(1_024, 1, None)), (LARGE, AUTO)], (20 * GIB,))
    assert fixed.context == 1_024
    assert free.context > 1_024


@given(
    room=st.lists(st.integers(0, 90 * GIB), min_size=1, max_size=4),
    context=st.one_of(st.none(), st.integers(0, 200_000)),
    slots=st.one_of(st.none(), st.integers(1, 256)),
    layers=st.one_of(st.none(), st.integers(0, 99)),
    split=st.lists(st.floats(0, 9), max_size=5),
)
def test_any_wish_and_any_room_give_a_plan_that_adds_up(room, context, slots, layers, split):
    space = tuple(room)
    chosen = plan(LARGE, Wish(context, slots, layers, split=tuple(split)), space)
    assert len(chosen.needs) == len(space)
    assert chosen.context % CELLS == 0 < chosen.context
    assert sum(chosen.split) == chosen.layers <= 33
    in_weights = sum(need.weights for need in chosen.needs)
    assert in_weights == (70 + 100 + 32 * 120 + 100 * max(0, 32 - max(0, chosen.layers - 1))) * MIB
    if context is None and layers is None:
        assert chosen.fits(space) or not plan(LARGE, Wish(CELLS, slots or 1, 0), space).fits(space)


def test_the_sums_are_written_out():
    need = Need(weights=491 * MIB, kv=96 * MIB, compute=9 * MIB, base=136 * MIB)
    chosen = Plan(8_192, 4, 0, needs=(need,))
    assert arithmetic(chosen) == "weights 491 + KV 96 + compute 9 + process 136 = 732 MiB of RAM"
    assert shortage((732 * MIB, 5), (700 * MIB, 6)) == "700 MiB of RAM are free, 32 MiB are missing"
    both = Plan(8_192, 4, 3, (3,), (need, Need(weights=MIB, base=512 * MIB)))
    assert arithmetic(both).endswith(", weights 1 + KV 0 + compute 0 + driver 512 = 513 MiB of GPU 0")


def test_a_refusal_has_each_sum_the_whole_and_what_to_change():
    plans = {"one": plan(LARGE, Wish(8_192, 4, None), (RAM,)), "two": plan(SMALL, Wish(2_048, 4, None), (RAM,))}
    assert refusal(plans, (RAM,)) is None
    said = refusal(plans, (2 * GIB,))
    assert said is not None
    for part in ("one: weights", "two: weights", "together", "2048 MiB of RAM are free", "missing", "kv_type", "pin"):
        assert part in said


@pytest.mark.parametrize("layers", [None, 0])
def test_without_a_gpu_there_are_no_layers_on_one(layers):
    assert plan(LARGE, Wish(None, None, layers), (RAM,)).split == ()
