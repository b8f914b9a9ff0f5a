"""A path that answers conversations: read the body, hand it to the pipeline, write the answer in its API's shapes."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from contextlib import aclosing
from functools import partial
from typing import Any

from starlette.types import Receive, Scope, Send

from glasnost.config import Config
from glasnost.errors import GlasnostError, Stopping
from glasnost.pipeline.pipeline import Pipeline
from glasnost.pipeline.stream import StreamedAnswer
from glasnost.record.exchange import Exchange
from glasnost.server.body import read_json
from glasnost.server.disconnect import until_disconnect
from glasnost.server.drain import Drain
from glasnost.server.facts import facts_of
from glasnost.server.keys import check_model
from glasnost.server.responses import EventStream, send_json
from glasnost.wire.answer import Completion
from glasnost.wire.chat import ChatRequest
from glasnost.wire.dialect import Api, Dialect

Complete = Callable[[ChatRequest], Awaitable[tuple[Completion, Exchange]]]

#: Exchanges that one request may have under way at once.
AT_ONCE = 8


class Endpoint:
    """The path of one API as an ASGI application."""

    def __init__(self, api: Api, pipeline: Pipeline, config: Config, drain: Drain) -> None:
        self._api = api
        self._pipeline = pipeline
        self._config = config
        self._drain = drain

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; errors before the first byte are raised for the middleware to answer."""
        facts = facts_of(scope)
        facts.endpoint, facts.error_body = self._api.name, self._api.error_body
        body = await read_json(scope, receive, self._config.server)
        dialect = self._api.open(body, uuid.uuid4().hex, int(time.time()))
        first = dialect.requests[0]
        facts.stream = first.stream
        check_model(facts.caller, first.model)
        if first.model in self._pipeline.models:
            facts.model = first.model
        explain = _header(scope, b"x-glasnost-explain") == "1"
        if first.stream:
            tighten = _header(scope, b"x-glasnost-mode")
            ask = partial(self._pipeline.stream, caller=facts.caller, tighten=tighten, explain=explain)
            await until_disconnect(receive, self._stream(send, dialect, ask), self._drain)
        else:
            complete = partial(self._pipeline.complete, caller=facts.caller)
            await until_disconnect(receive, self._complete(send, dialect, complete, explain=explain), self._drain)

    async def _complete(self, send: Send, dialect: Dialect, complete: Complete, *, explain: bool) -> None:
        answers = await _all(dialect.requests, complete)
        completions = [{**answer, "glasnost": exchange.as_dict(explain=explain)} for answer, exchange in answers]
        await send_json(send, dialect.whole(completions), headers=answers[0][1].headers())

    async def _stream(self, send: Send, dialect: Dialect, ask: Callable[[ChatRequest], StreamedAnswer]) -> None:
        first = ask(dialect.requests[0])
        stream = EventStream(send, first.headers)
        keep_alive = asyncio.ensure_future(stream.keep_alive(self._config.stream.keep_alive_seconds))
        try:
            for number, request in enumerate(dialect.requests):
                answer = ask(request) if number else first
                async with aclosing(answer.chunks()) as chunks:
                    async for chunk in chunks:
                        await stream.write(dialect.frames(chunk, number))
        except GlasnostError as error:
            if not stream.started:
                raise
            await stream.close(dialect.fail(error))
        except asyncio.CancelledError:
            if self._drain.broken_off and stream.started:
                await stream.close(dialect.fail(Stopping()))
            raise
        except Exception as error:
            if stream.started:
                await stream.close(dialect.fail(error))
            raise
        else:
            await stream.close(dialect.end())
        finally:
            keep_alive.cancel()


async def _all(requests: Sequence[ChatRequest], complete: Complete) -> list[tuple[Completion, Exchange]]:
    """Ask for all of them, some at a time; the first error ends them all."""
    if len(requests) == 1:
        return [await complete(requests[0])]
    room = asyncio.Semaphore(AT_ONCE)

    async def ask(request: ChatRequest) -> tuple[Completion, Exchange]:
        async with room:
            return await complete(request)

    tasks = [asyncio.ensure_future(ask(request)) for request in requests]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _header(scope: MutableMapping[str, Any], name: bytes) -> str | None:
    value = dict(scope["headers"]).get(name)
    return value.decode("latin-1") if value is not None else None
