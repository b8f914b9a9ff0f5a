"""One request's place in the engine, on the side of the event loop: its events, and the way to cancel it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Self

from glasnost.engine.events import Event


class Ticket:
    """Read the events of a request as they come; leave the `with` block and what is not complete is cancelled."""

    def __init__(self, cancel: Callable[[], None]) -> None:
        self._cancel = cancel
        self._events: list[Event] = []
        self._ready = asyncio.Event()
        self._relay: Callable[[Event], None] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.cancel()

    async def events(self, timeout: float | None = None) -> list[Event]:  # noqa: ASYNC109 - a wait, not a failure
        """Wait for the next events and give all there are; none when `timeout` seconds passed without any."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                await self._ready.wait()
        self._ready.clear()
        events, self._events = self._events, []
        return events

    def cancel(self) -> None:
        """Free what the request holds, within one step; harmless when it is complete."""
        self._cancel()

    def put(self, event: Event) -> None:
        """Add an event; called on the event loop."""
        if self._relay is not None:
            self._relay(event)
            return
        self._events.append(event)
        self._ready.set()

    def relay(self, take: Callable[[Event], None]) -> None:
        """Give every event to `take` instead of keeping it; call it before the event loop runs again."""
        self._relay = take


def put_all(events: Iterable[tuple[Ticket, Event]]) -> None:
    """Hand out the events of one step."""
    for ticket, event in events:
        ticket.put(event)
