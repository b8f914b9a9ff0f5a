"""Several prompts of one request, with the engine behind them played by hand."""

from __future__ import annotations

import asyncio

import pytest

from glasnost.engine import series
from glasnost.engine.events import Delta, End, Failure
from glasnost.engine.series import Series
from glasnost.engine.ticket import Ticket
from glasnost.errors import Overloaded, QueueFull


class Prompts:
    """Tickets that were handed out, in order; `errors` are raised instead, each once, by number of the call."""

    def __init__(self, number, errors=None):
        self.tickets = []
        self.cancelled = []
        self.calls = 0
        self.errors = errors or {}
        self.submits = [lambda at=at: self.submit(at) for at in range(number)]

    def submit(self, at):
        self.calls += 1
        if self.calls in self.errors:
            raise self.errors[self.calls]
        ticket = Ticket(lambda: self.cancelled.append(at))
        self.tickets.append(ticket)
        return ticket

    def end(self, at, choice=0):
        self.tickets[at].put(End(choice, "stop", 1, 0))


def test_events_come_as_one_with_choices_numbered_through():
    async def run():
        prompts = Prompts(2)
        ticket = Series(prompts.submits, each=2, room=4)
        prompts.tickets[1].put(Delta(1, "d"))
        prompts.tickets[0].put(Delta(0, "a"))
        prompts.end(1)
        return await ticket.events()

    assert asyncio.run(run()) == [Delta(3, "d"), Delta(0, "a"), End(2, "stop", 1, 0)]


def test_a_prompt_waits_until_all_its_choices_have_a_place():
    async def run():
        prompts = Prompts(3)
        Series(prompts.submits, each=2, room=5)
        counts = [len(prompts.tickets)]
        for choice in (0, 1):
            prompts.end(0, choice)
            counts.append(len(prompts.tickets))
        return counts

    assert asyncio.run(run()) == [2, 3, 3]


def test_no_place_for_the_first_prompt_is_no_place_for_the_request():
    async def run():
        with pytest.raises(QueueFull):
            Series(Prompts(2, {1: QueueFull("full")}).submits, each=1, room=4)

    asyncio.run(run())


def test_later_prompts_wait_for_a_place(monkeypatch):
    monkeypatch.setattr(series, "_RETRY", 0.001)

    async def run():
        prompts = Prompts(2, {2: QueueFull("full"), 3: QueueFull("full")})
        Series(prompts.submits, each=1, room=4)
        assert len(prompts.tickets) == 1
        async with asyncio.timeout(5):
            while len(prompts.tickets) < 2:  # noqa: ASYNC110 - what was submitted is a list, not an event
                await asyncio.sleep(0.001)

    asyncio.run(run())


def test_a_failure_ends_all_prompts():
    async def run():
        prompts = Prompts(4)
        ticket = Series(prompts.submits, each=1, room=2)
        prompts.tickets[1].put(Failure(Overloaded("no more")))
        [failure] = await ticket.events()
        prompts.end(0)
        return failure, prompts

    failure, prompts = asyncio.run(run())
    assert isinstance(failure.error, Overloaded)
    assert (prompts.cancelled, len(prompts.tickets)) == ([0, 1], 2)


def test_an_engine_that_ends_in_between_fails_the_request():
    async def run():
        prompts = Prompts(2, {2: Overloaded("shutting down")})
        ticket = Series(prompts.submits, each=1, room=1)
        prompts.end(0)
        return await ticket.events()

    end, failure = asyncio.run(run())
    assert isinstance(end, End)
    assert isinstance(failure, Failure)


def test_leaving_cancels_what_runs_and_forgets_what_waits(monkeypatch):
    monkeypatch.setattr(series, "_RETRY", 0.001)

    async def run():
        prompts = Prompts(3, {3: QueueFull("full")})
        with Series(prompts.submits, each=1, room=3):
            pass
        await asyncio.sleep(0.02)
        return prompts

    prompts = asyncio.run(run())
    assert (prompts.cancelled, prompts.calls) == ([0, 1], 3)
