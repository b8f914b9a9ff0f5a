"""POST /v1/chat/completions: parse, hand to the pipeline, write the answer in the shape that was asked for."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from contextlib import aclosing
from typing import Any

from starlette.types import Receive, Scope, Send

from glasnost.config import Config
from glasnost.errors import GlasnostError
from glasnost.pipeline.pipeline import Pipeline
from glasnost.pipeline.stream import StreamedAnswer
from glasnost.server.body import read_json
from glasnost.server.disconnect import until_disconnect
from glasnost.server.facts import facts_of
from glasnost.server.responses import EventStream, send_json
from glasnost.wire import jsonio
from glasnost.wire.chat import ChatRequest


class Chat:
    """The endpoint as an ASGI application."""

    def __init__(self, pipeline: Pipeline, config: Config) -> None:
        self._pipeline = pipeline
        self._config = config

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; errors before the first byte are raised for the middleware to answer."""
        facts = facts_of(scope)
        facts.endpoint = "chat"
        request = ChatRequest.parse(await read_json(scope, receive, self._config.server))
        facts.stream = request.stream
        if request.model in self._pipeline.models:
            facts.model = request.model
        explain = _header(scope, b"x-glasnost-explain") == "1"
        if request.stream:
            tighten = _header(scope, b"x-glasnost-mode")
            answer = self._pipeline.stream(request, tighten=tighten, explain=explain)
            await until_disconnect(receive, self._stream(send, answer))
        else:
            await until_disconnect(receive, self._complete(send, request, explain=explain))

    async def _complete(self, send: Send, request: ChatRequest, *, explain: bool) -> None:
        completion, exchange = await self._pipeline.complete(request)
        body = {**completion, "glasnost": exchange.as_dict(explain=explain)}
        await send_json(send, body, headers=exchange.headers())

    async def _stream(self, send: Send, answer: StreamedAnswer) -> None:
        stream = EventStream(send, answer.headers)
        keep_alive = asyncio.ensure_future(stream.keep_alive(self._config.stream.keep_alive_seconds))
        try:
            async with aclosing(answer.chunks()) as chunks:
                async for chunk in chunks:
                    await stream.event(jsonio.dumps(chunk))
        except GlasnostError as error:
            if not stream.started:
                raise
            await stream.fail(error)
        except Exception as error:
            if stream.started:
                await stream.fail(error)
            raise
        else:
            await stream.done()
        finally:
            keep_alive.cancel()


def _header(scope: MutableMapping[str, Any], name: bytes) -> str | None:
    value = dict(scope["headers"]).get(name)
    return value.decode("latin-1") if value is not None else None
