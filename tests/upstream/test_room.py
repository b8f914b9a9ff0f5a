"""Who may load: victims are chosen by need, booked room is never given twice, nobody who answers is sent away."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glasnost.engine.plan import Need, Plan
from glasnost.upstream.room import NoRoom, Room, victims


def needs(*sizes: int) -> Plan:
    return Plan(256, 1, 0, needs=tuple(Need(weights=size << 20) for size in sizes))


def space(*sizes: int) -> tuple[int, ...]:
    return tuple(size << 20 for size in sizes)


class Engine:
    """An engine without a process; it takes a moment to stop."""

    def __init__(self, name: str, room: Room, *, used_at: float = 0.0) -> None:
        self.name = name
        self.room = room
        self.used_at = used_at
        self.evictable = False
        self.unloaded = 0

    async def load(self, plan: Plan, *, busy: bool = False) -> Engine:
        await self.room.enter(self, plan)
        self.evictable = not busy
        return self

    async def unload(self) -> None:
        assert self.evictable
        self.unloaded += 1
        await asyncio.sleep(0.01)
        self.evictable = False
        self.room.leave(self)


def test_nobody_goes_while_there_is_room():
    assert victims((5,), (5,), [("a", (3,))]) == []


def test_the_least_recently_used_go_until_it_fits():
    assert victims((5,), (1,), [("a", (2,)), ("b", (2,)), ("c", (9,))]) == ["a", "b"]


def test_nobody_goes_when_all_would_not_be_enough():
    assert victims((9,), (1,), [("a", (2,)), ("b", (2,))]) is None


def test_who_holds_nothing_of_what_is_short_stays():
    assert victims((1, 5), (9, 1), [("cpu", (9, 0)), ("gpu", (1, 4))]) == ["gpu"]


@given(
    needed=st.integers(0, 20),
    free=st.integers(0, 20),
    idle=st.lists(st.integers(0, 20), max_size=6),
)
def test_who_goes_is_enough_and_the_last_of_them_was_needed(needed, free, idle):
    named = [(str(index), (size,)) for index, size in enumerate(idle)]
    chosen = victims((needed,), (free,), named)
    if chosen is None:
        assert needed > free + sum(idle)
        return
    sizes = [idle[int(name)] for name in chosen]
    assert free + sum(sizes) >= needed
    assert not sizes or free + sum(sizes[:-1]) < needed


def test_alternating_engines_evict_each_other():
    async def run() -> None:
        room = Room(space(100))
        first, second = Engine("a", room), Engine("b", room)
        for _ in range(3):
            await first.load(needs(60))
            await second.load(needs(60))
        assert (first.unloaded, second.unloaded) == (3, 2)

    asyncio.run(run())


def test_an_engine_that_answers_stays_and_the_other_is_told_with_the_sums():
    async def run() -> None:
        room = Room(space(100))
        first = await Engine("a", room).load(needs(60), busy=True)
        with pytest.raises(NoRoom, match=r"= 60 MiB of RAM; 40 MiB of RAM are free, 20 MiB are missing"):
            await Engine("b", room).load(needs(60))
        assert first.unloaded == 0

    asyncio.run(run())


def test_concurrent_starts_book_no_room_twice():
    async def run() -> None:
        room = Room(space(100))
        engines = [Engine(str(index), room) for index in range(5)]
        results = await asyncio.gather(*(each.load(needs(40), busy=True) for each in engines), return_exceptions=True)
        assert [type(result) for result in results] == [Engine, Engine, NoRoom, NoRoom, NoRoom]

    asyncio.run(run())


def test_concurrent_starts_evict_one_engine_once():
    async def run() -> None:
        room = Room(space(100))
        idle = await Engine("idle", room).load(needs(90))
        await asyncio.gather(*(Engine(str(index), room).load(needs(30), busy=True) for index in range(3)))
        assert idle.unloaded == 1

    asyncio.run(run())


def test_only_as_many_go_as_are_needed_the_longest_unused_first():
    async def run() -> None:
        room = Room(space(100))
        old, new = Engine("old", room, used_at=1), Engine("new", room, used_at=2)
        await new.load(needs(40))
        await old.load(needs(40))
        await Engine("next", room).load(needs(50))
        assert (old.unloaded, new.unloaded) == (1, 0)

    asyncio.run(run())


def test_one_who_begins_to_answer_while_another_stops_stays():
    async def run() -> None:
        room = Room(space(100))
        first, second = Engine("a", room, used_at=1), Engine("b", room, used_at=2)
        await first.load(needs(50))
        await second.load(needs(50))

        async def ask() -> None:
            await asyncio.sleep(0.005)
            second.evictable = False

        asking = asyncio.create_task(ask())
        with pytest.raises(NoRoom):
            await Engine("c", room).load(needs(90))
        await asking
        assert (first.unloaded, second.unloaded) == (1, 0)

    asyncio.run(run())


def test_what_is_reserved_is_not_for_others():
    async def run() -> None:
        room = Room(space(100, 100))
        room.reserve(space(30, 60))
        assert room.shared == space(70, 40)
        with pytest.raises(NoRoom, match="GPU 0"):
            await Engine("a", room).load(needs(10, 50))
        await Engine("b", room).load(needs(70, 40))

    asyncio.run(run())


def test_what_is_given_back_is_there_again():
    async def run() -> None:
        room = Room(space(100))
        engine = await Engine("a", room).load(needs(80), busy=True)
        room.leave(engine)
        room.leave(engine)
        await Engine("b", room).load(needs(100))

    asyncio.run(run())
