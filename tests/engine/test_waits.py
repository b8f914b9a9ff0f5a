"""How long requests wait for a slot: counted once for each, when it gets one."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glasnost.engine.events import End
from glasnost.engine.llama import Context
from glasnost.engine.params import Sampling
from glasnost.engine.settings import EngineSettings
from glasnost.engine.waits import BOUNDS, Waits
from glasnost.engine.worker import Worker


@given(st.lists(st.floats(0, 1_000)))
def test_every_wait_is_in_all_buckets_from_its_own_on(seconds):
    waits = Waits()
    for each in seconds:
        waits.observe(each)
    told = waits.report()
    assert told["sum"] == pytest.approx(sum(seconds))
    counts = list(told["buckets"].values())
    assert counts == [*(sum(each <= bound for each in seconds) for bound in BOUNDS), len(seconds)]


async def finished(ticket):
    while not any(isinstance(event, End) for event in await ticket.events()):
        pass


@pytest.mark.model
def test_the_second_request_of_an_engine_with_one_slot_waits_for_the_first(model, smollm_path):
    settings = EngineSettings(path=smollm_path, name="m", slots=1, context=512, queue=3, threads=1)

    async def run():
        worker = Worker(model, Context(model, settings), settings)
        worker.start()
        sampling = Sampling(temperature=0, max_tokens=24)
        try:
            tickets = [worker.submit(model.tokenize("One, two,"), sampling, 1) for _ in range(3)]
            tickets[2].cancel()
            for ticket in tickets[:2]:
                await finished(ticket)
        finally:
            worker.close()
        return worker.waits.report()

    told = asyncio.run(run())
    # The first waits for the thread alone, the second for 24 steps; who left before a slot was free is not counted.
    assert told["buckets"]["+Inf"] == 2
    assert told["buckets"]["0.01"] <= 1
    assert told["sum"] > 0.01
