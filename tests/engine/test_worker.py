"""The worker when llama.cpp fails under it: whom it concerns is told, everybody else goes on."""

from __future__ import annotations

import asyncio
import contextlib
import threading

import pytest

from glasnost.engine.events import Delta, End, Failure
from glasnost.engine.llama import Context
from glasnost.engine.params import Sampling
from glasnost.engine.settings import EngineSettings
from glasnost.engine.worker import Worker
from glasnost.errors import GlasnostError, Overloaded

pytestmark = pytest.mark.model

GREEDY = Sampling(temperature=0, max_tokens=8)


class Faulty(Context):
    """A real context that fails on chosen steps: a status of llama_decode, or an exception."""

    def __init__(self, model, settings, faults):
        super().__init__(model, settings)
        self.faults = faults
        self.steps = 0

    def decode(self, spans):
        self.steps += 1
        fault = self.faults.get(self.steps)
        if isinstance(fault, Exception):
            raise fault
        return super().decode(spans) if fault is None else fault


@contextlib.asynccontextmanager
async def running(model, path, faults):
    settings = EngineSettings(path=path, name="m", slots=2, context=512, queue=2, threads=1)
    worker = Worker(model, Faulty(model, settings, faults), settings)
    worker.start()
    try:
        yield worker
    finally:
        worker.close()


async def outcome(ticket):
    """Give the text of the only choice, or the error."""
    text = ""
    while True:
        for event in await ticket.events():
            if isinstance(event, Failure):
                return event.error
            if isinstance(event, End):
                return text
            assert isinstance(event, Delta)
            text += event.text


def ask(model, path, faults, *prompts):
    """Give what each prompt ends in, submitted one after the other's end."""

    async def run():
        async with running(model, path, faults) as worker:
            found = []
            for prompt in prompts:
                with worker.submit(model.tokenize(prompt), GREEDY, 1) as ticket:
                    found.append(await outcome(ticket))
            return found, worker.counters

    return asyncio.run(run())


def test_a_step_that_fails_fails_its_requests_and_the_next_ones_are_served(model, smollm_path):
    [expected], _ = ask(model, smollm_path, {}, "One, two, three,")
    [failed, served], counters = ask(model, smollm_path, {3: -3}, "Four, five,", "One, two, three,")
    assert isinstance(failed, GlasnostError)
    assert failed.code == "engine_failed"
    assert served == expected
    assert counters.failed_steps == 1


def test_a_cache_that_is_full_against_all_counting_is_emptied_of_what_is_idle(model, smollm_path):
    [expected], _ = ask(model, smollm_path, {}, "One, two, three,")
    results, counters = ask(model, smollm_path, {11: 1}, "Red, green, blue,", "One, two, three,")
    assert results[1] == expected
    assert counters.failed_steps == 1


def test_a_request_for_which_there_is_no_room_at_all_fails(model, smollm_path):
    [failed], _ = ask(model, smollm_path, {2: 1}, "One, two, three,")
    assert failed.code == "engine_failed"


def test_an_aborted_step_is_computed_again(model, smollm_path):
    [expected], _ = ask(model, smollm_path, {}, "One, two, three,")
    [again], counters = ask(model, smollm_path, {1: 2, 4: 2}, "One, two, three,")
    assert again == expected
    assert counters.failed_steps == 0


def test_a_worker_that_breaks_tells_everybody_and_says_that_it_ended(model, smollm_path, caplog):
    async def run():
        async with running(model, smollm_path, {4: RuntimeError("broken")}) as worker:
            tickets = [worker.submit(model.tokenize("One, two,"), GREEDY, 1) for _ in range(3)]
            errors = [await outcome(ticket) for ticket in tickets]
            await asyncio.wait_for(worker.ended.wait(), 5)
            assert not worker.alive
            with pytest.raises(Overloaded):
                worker.submit(model.tokenize("One"), GREEDY, 1)
            return errors

    errors = asyncio.run(run())
    assert [str(error) for error in errors] == ["broken"] * 3
    assert "the worker of the engine ended" in caplog.text


def test_stopping_ends_a_running_step_and_tells_whoever_waits(model, smollm_path):
    async def run():
        async with running(model, smollm_path, {}) as worker:
            with worker.submit(model.tokenize("word " * 400), GREEDY, 1) as ticket:
                await asyncio.sleep(0.05)
                worker.stop()
                error = await asyncio.wait_for(outcome(ticket), 5)
            return error, worker.counters.prompt_tokens

    error, computed = asyncio.run(run())
    assert isinstance(error, Overloaded)
    assert computed == 0


def test_sequences_that_outgrow_the_cache_take_turns_and_all_end(model, smollm_path):
    async def run():
        async with running(model, smollm_path, {}) as worker:
            long = Sampling(temperature=0, max_tokens=110, logit_bias=((2, -100.0), (0, -100.0)))
            prompt = model.tokenize("Tell a story without an end. " * 18)
            tickets = [worker.submit([*prompt, number], long, 1) for number in (30, 40, 50)]
            texts = [await outcome(ticket) for ticket in tickets]
            return texts, worker.counters.failed_steps

    texts, failed = asyncio.run(run())
    assert all(isinstance(text, str) and text for text in texts)
    assert failed == 0


def test_a_call_runs_on_the_worker_between_steps_and_steps_between_calls(model, smollm_path):
    async def run():
        async with running(model, smollm_path, {}) as worker:
            thread = await asyncio.wrap_future(worker.call(lambda: threading.current_thread().name))
            endless = Sampling(temperature=0, max_tokens=400, logit_bias=((2, -100.0), (0, -100.0)))
            with worker.submit(model.tokenize("One, two,"), endless, 1) as ticket:
                await ticket.events()
                calls = [worker.call(lambda: worker.counters.steps) for _ in range(4)]
                return thread, [await asyncio.wrap_future(call) for call in calls]

    thread, steps = asyncio.run(run())
    assert thread == "engine"
    assert len(set(steps)) == 4


def test_a_call_that_fails_is_its_callers_and_one_that_nobody_waits_for_is_passed_over(model, smollm_path):
    async def run():
        async with running(model, smollm_path, {}) as worker:
            ran = []
            blocked = threading.Event()
            first = worker.call(lambda: blocked.wait(5))
            cancelled = worker.call(lambda: ran.append("cancelled"))
            failed = worker.call(lambda: {}[0])
            cancelled.cancel()
            blocked.set()
            assert await asyncio.wrap_future(first)
            with pytest.raises(KeyError):
                await asyncio.wrap_future(failed)
            return ran, worker.alive

    assert asyncio.run(run()) == ([], True)


def test_a_call_that_had_no_turn_before_the_end_is_told_so(model, smollm_path):
    async def run():
        async with running(model, smollm_path, {}) as worker:
            blocked = threading.Event()
            worker.call(lambda: blocked.wait(5))
            late = worker.call(lambda: None)
            worker.stop()
            blocked.set()
            with pytest.raises(Overloaded):
                await asyncio.wrap_future(late)
            with pytest.raises(Overloaded):
                worker.call(lambda: None)

    asyncio.run(run())
