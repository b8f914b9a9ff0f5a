"""When an exchange is recorded: no byte before its beginning is kept for good, no last byte before its end is."""

import asyncio
import json

import pytest

from gateway import HONEST, SENSITIVE, body
from glasnost.config import parse_config
from glasnost.errors import Overloaded
from glasnost.pipeline.pipeline import Pipeline
from glasnost.upstream.script import parse_script
from glasnost.upstream.scripted import ScriptPlayer
from glasnost.wire.chat import ChatRequest
from packs import compiled

POLICY = compiled(("prc",))
CONFIG = parse_config(
    "{upstreams: {one: {kind: scripted, script: a}}, models: {asked: {upstream: one, mode: observe}}}", "test"
)


class Slow:
    """Keeps what it is told until it is let go on, or refuses it."""

    def __init__(self, *, begin=None, end=None):
        self.told = []
        self.begin = asyncio.Event() if begin is None else begin
        self.end = asyncio.Event() if end is None else end

    def opened(self, exchange):
        if isinstance(self.begin, Exception):
            raise self.begin
        return self._note("opened", exchange, self.begin)

    def closed(self, exchange):
        return self._note("closed", exchange, self.end)

    def _note(self, what, exchange, until):
        self.told.append((what, exchange.outcome))
        return asyncio.ensure_future(self._wait(until))

    async def _wait(self, until):
        if isinstance(until, Exception):
            raise until
        await until.wait()


def door(recorder):
    rule = {"text": HONEST, "split": 5}
    upstream = ScriptPlayer("one", parse_script(json.dumps({"rules": [rule]}), "one"))
    return Pipeline(CONFIG, {"one": upstream}, {("prc",): POLICY}, recorder)


def request(**fields):
    return ChatRequest.parse(body(SENSITIVE, **fields))


async def patience():
    for _ in range(200):
        await asyncio.sleep(0)


def test_a_stream_waits_for_its_beginning_and_for_its_end_to_be_recorded():
    async def scenario():
        recorder, got = Slow(), []

        async def read():
            async for chunk in door(recorder).stream(request(stream=True)).chunks():
                got.append(chunk)  # noqa: PERF401 - what came so far is looked at while it runs

        reading = asyncio.ensure_future(read())
        await patience()
        assert recorder.told == [("opened", "served")]
        assert got == []
        recorder.begin.set()
        await patience()
        assert recorder.told == [("opened", "served"), ("closed", "served")]
        assert got
        assert not any("glasnost" in chunk for chunk in got)
        recorder.end.set()
        await reading
        assert "glasnost" in got[-1]

    asyncio.run(scenario())


def test_a_whole_answer_waits_for_its_end_to_be_recorded():
    async def scenario():
        recorder = Slow()
        asking = asyncio.ensure_future(door(recorder).complete(request()))
        await patience()
        assert recorder.told == [("opened", "served"), ("closed", "served")]
        assert not asking.done()
        recorder.end.set()
        completion, _ = await asking
        assert completion["choices"][0]["message"]["content"] == HONEST

    asyncio.run(scenario())


@pytest.mark.parametrize("stream", [True, False])
def test_what_cannot_be_recorded_is_not_asked_and_not_served(stream):
    async def ask(recorder):
        if stream:
            return [chunk async for chunk in door(recorder).stream(request(stream=True)).chunks()]
        return await door(recorder).complete(request())

    async def scenario():
        refusing = Slow(begin=Overloaded("full"))
        with pytest.raises(Overloaded):
            await ask(refusing)
        assert refusing.told == []
        failing = Slow(end=Overloaded("full"))
        failing.begin.set()
        with pytest.raises(Overloaded):
            await ask(failing)
        assert failing.told == [("opened", "served"), ("closed", "served")]

    asyncio.run(scenario())


def test_a_client_that_leaves_during_the_wait_is_recorded_as_gone():
    async def scenario():
        recorder = Slow()
        recorder.end.set()
        reading = asyncio.ensure_future(anext(door(recorder).stream(request(stream=True)).chunks()))
        await patience()
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        await patience()
        assert recorder.told == [("opened", "served"), ("closed", "client_disconnected")]

    asyncio.run(scenario())
