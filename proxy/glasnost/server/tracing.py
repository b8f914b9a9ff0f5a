"""The outermost middleware where requests are traced: each is a trace from its first byte in to its last byte out."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bound_contextvars

from glasnost.record.tracing import Tracer, within
from glasnost.upstream.carried import carrying


class TraceMiddleware:
    """Begins and ends the trace of each request that takes work; probes and metrics have none."""

    def __init__(self, app: ASGIApp, tracer: Tracer, endpoints: Mapping[str, str]) -> None:
        """Take the names of the endpoints by their paths."""
        self._app = app
        self._tracer = tracer
        self._endpoints = endpoints

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the request within its trace, whose id is in every log line meanwhile."""
        if scope["type"] != "http" or scope["method"] != "POST" or scope["path"] not in self._endpoints:
            await self._app(scope, receive, send)
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        trace = self._tracer.begin(scope["method"], scope["path"], self._endpoints[scope["path"]], headers)
        status: int | None = None

        async def send_noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        failure: BaseException | None = None
        try:
            with within(trace), carrying(trace.headers), bound_contextvars(trace_id=trace.id):
                await self._app(scope, receive, send_noting)
        except BaseException as error:
            failure = error
            raise
        finally:
            trace.ended(status, failure)
