"""Who may load: books the memory of engines before they start, and unloads idle ones when another needs the room."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol

import structlog

from glasnost.engine.plan import Plan, Space, less, missing
from glasnost.engine.sums import arithmetic, shortage

#: When a client may try again that found no room: an answer that takes it may end any moment.
RETRY_SECONDS = 5

_log = structlog.get_logger(__name__)


class NoRoom(Exception):
    """There is no room for an engine, and none can be made now; says why, in words for a client."""


class Lodger(Protocol):
    """An engine that takes room."""

    @property
    def name(self) -> str:
        """The upstream's name."""
        ...

    @property
    def evictable(self) -> bool:
        """Whether it is loaded, may be unloaded, and nobody is being answered by it."""
        ...

    @property
    def used_at(self) -> float:
        """When it was last used."""
        ...

    async def unload(self) -> None:
        """Stop it, and return when its memory is free."""
        ...


def victims(needed: Space, free: Space, idle: Sequence[tuple[str, Space]]) -> list[str] | None:
    """Choose whom to unload so that `needed` fits; None when that would not be enough.

    `idle` are names with what each holds, the least recently used first. Whoever holds nothing of what is short stays.
    """
    chosen: list[str] = []
    for name, held in idle:
        short = missing(needed, free)
        if any(size and lack for size, lack in zip(held, short, strict=True)):
            chosen.append(name)
            free = tuple(have + size for have, size in zip(free, held, strict=True))
    return None if any(missing(needed, free)) else chosen


class Room:
    """The memory that all engines share: bytes of RAM, then of each GPU."""

    def __init__(self, space: Space) -> None:
        #: What is there for engines that come and go.
        self.shared = space
        self._booked: dict[Lodger, Space] = {}
        self._entering = asyncio.Lock()

    def reserve(self, space: Space) -> None:
        """Set room aside for good, for an engine that is always loaded."""
        self.shared = less(self.shared, space)

    async def enter(self, lodger: Lodger, plan: Plan) -> None:
        """Book what the plan takes, unloading others by need, the least recently used first; raises NoRoom."""
        async with self._entering:
            while (chosen := self._choose(plan.space)) is None or chosen:
                if chosen is None:
                    raise NoRoom(f"finds no room: {arithmetic(plan)}; {shortage(plan.space, self._free())}")
                victim = next(each for each in self._booked if each.name == chosen[0])
                _log.info("engine unloaded to make room", upstream=victim.name, room_for=lodger.name)
                await victim.unload()
            self._booked[lodger] = plan.space

    def leave(self, lodger: Lodger) -> None:
        """Give back what was booked, if anything was."""
        self._booked.pop(lodger, None)

    def _choose(self, needed: Space) -> list[str] | None:
        idle = sorted((each for each in self._booked if each.evictable), key=lambda each: each.used_at)
        return victims(needed, self._free(), [(each.name, self._booked[each]) for each in idle])

    def _free(self) -> Space:
        free = self.shared
        for taken in self._booked.values():
            free = less(free, taken)
        return free
