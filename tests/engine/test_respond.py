"""What goes over the wire when things go wrong: failures, silence, and a client that leaves."""

from __future__ import annotations

import asyncio
import json

import pytest

from glasnost.engine import respond
from glasnost.engine.answer import Chunks, Tally, Whole
from glasnost.engine.events import Delta, End, Failure
from glasnost.engine.output import OutputFormat
from glasnost.engine.respond import StreamedAnswer, WholeAnswer
from glasnost.engine.ticket import Ticket
from glasnost.errors import Overloaded
from glasnost.wire.chunk import Frame

FRAME = Frame("id", 1, "m")
GONE = Overloaded("The engine is shutting down.")


class Connection:
    """One ASGI request whose body was read; the client leaves when `leave` is set."""

    def __init__(self):
        self.sent = []
        self.leave = asyncio.Event()
        self.cancelled = 0
        self.ticket = Ticket(self.cancel)
        self.tally = Tally(5, 1)

    def cancel(self):
        self.cancelled += 1

    async def receive(self):
        await self.leave.wait()
        return {"type": "http.disconnect"}

    async def send(self, message):
        self.sent.append(message)

    async def stream(self):
        chunks = Chunks(FRAME, self.tally, OutputFormat(), choices=1, include_usage=False)
        await StreamedAnswer(self.ticket, chunks, self.tally)({}, self.receive, self.send)

    async def whole(self):
        answer = Whole(FRAME, self.tally, OutputFormat(), choices=1)
        await WholeAnswer(self.ticket, answer, self.tally)({}, self.receive, self.send)

    @property
    def body(self):
        return b"".join(message.get("body", b"") for message in self.sent).decode()


async def until(condition):
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - what was sent is a list, not an event
            await asyncio.sleep(0.001)


@pytest.mark.parametrize("kind", ["stream", "whole"])
def test_a_failure_before_the_first_byte_is_raised(kind):
    async def run():
        connection = Connection()
        connection.ticket.put(Failure(GONE))
        with pytest.raises(Overloaded):
            await getattr(connection, kind)()
        return connection

    connection = asyncio.run(run())
    assert connection.sent == []
    assert connection.cancelled == 1


def test_a_failure_later_is_an_error_event_without_a_finish_and_without_done():
    async def run():
        connection = Connection()
        for event in (Delta(0, "Once upon"), Failure(GONE)):
            connection.ticket.put(event)
        await connection.stream()
        return connection

    connection = asyncio.run(run())
    *chunks, error = [json.loads(line[6:]) for line in connection.body.split("\n\n") if line]
    assert [chunk["choices"][0]["delta"].get("content") for chunk in chunks] == ["", "Once upon"]
    assert not any(chunk["choices"][0]["finish_reason"] for chunk in chunks)
    assert error["error"]["code"] == "overloaded"
    assert connection.sent[-1] == {"type": "http.response.body", "body": b""}


def test_a_stream_that_is_silent_sends_comments(monkeypatch):
    monkeypatch.setattr(respond, "KEEP_ALIVE_AFTER", 0.01)

    async def run():
        connection = Connection()
        streaming = asyncio.create_task(connection.stream())
        await until(lambda: connection.body.count(": keep-alive\n\n") >= 2)
        connection.ticket.put(Delta(0, "a"))
        connection.ticket.put(End(0, "stop", 1, 0))
        await streaming
        return connection

    body = asyncio.run(run()).body
    assert body.startswith(": keep-alive\n\n")
    assert body.endswith("data: [DONE]\n\n")


@pytest.mark.parametrize("kind", ["stream", "whole"])
@pytest.mark.parametrize("begun", [False, True])
def test_a_client_that_leaves_cancels_the_work_and_gets_nothing_more(kind, begun):
    async def run():
        connection = Connection()
        serving = asyncio.create_task(getattr(connection, kind)())
        if begun:
            connection.ticket.put(Delta(0, "a"))
            await until(lambda: connection.sent or kind == "whole")
        connection.leave.set()
        await asyncio.wait_for(serving, 5)
        return connection

    connection = asyncio.run(run())
    assert connection.cancelled >= 1
    assert "[DONE]" not in connection.body
    assert "error" not in connection.body
