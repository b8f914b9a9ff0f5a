"""Several prompts of one request: each is submitted when there is place for it, and their events come as one."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from glasnost.engine.events import End, Event, Failure
from glasnost.engine.ticket import Ticket
from glasnost.errors import GlasnostError, QueueFull

# Seconds after which a prompt is submitted again that others left no place for.
_RETRY = 0.05


class Series(Ticket):
    """One ticket for prompts that have `each` choices; no more than `room` choices are in the engine at a time.

    Choices are numbered through: those of the second prompt follow those of the first. QueueFull when there is no
    place for the first prompt; later ones wait until there is.
    """

    def __init__(self, submits: Sequence[Callable[[], Ticket]], *, each: int, room: int) -> None:
        super().__init__(self._end)
        self._waiting = deque(enumerate(submits))
        self._running: list[Ticket] = []
        self._each = each
        self._room = room
        self._retry: asyncio.TimerHandle | None = None
        self._submit()
        self._advance()

    def _advance(self) -> None:
        try:
            while self._waiting and self._room >= self._each:
                self._submit()
        except QueueFull:
            if self._retry is not None:
                self._retry.cancel()
            self._retry = asyncio.get_running_loop().call_later(_RETRY, self._advance)
        except GlasnostError as error:
            self._take(0, Failure(error))

    def _submit(self) -> None:
        index, submit = self._waiting[0]
        ticket = submit()
        self._waiting.popleft()
        self._room -= self._each
        self._running.append(ticket)
        ticket.relay(partial(self._take, index * self._each))

    def _take(self, first: int, event: Event) -> None:
        if isinstance(event, Failure):
            self._end()
            self.put(event)
            return
        self.put(replace(event, choice=first + event.choice) if first else event)
        if isinstance(event, End):
            self._room += 1
            self._advance()

    def _end(self) -> None:
        self._waiting.clear()
        if self._retry is not None:
            self._retry.cancel()
        for ticket in self._running:
            ticket.cancel()
