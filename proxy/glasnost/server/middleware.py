"""Pure ASGI middleware, from the outside in: Measure, Answer errors, Guard the host, Require a key, Bound the load."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from glasnost.errors import (
    AuditUnavailable,
    Forbidden,
    GlasnostError,
    MisdirectedRequest,
    Overloaded,
    PayloadTooLarge,
    QueueFull,
    RateLimited,
    RequestTimeout,
    Stopping,
    Unauthenticated,
)
from glasnost.record.metrics import Metrics
from glasnost.server.disconnect import ClientDisconnected
from glasnost.server.drain import Drain
from glasnost.server.facts import RequestFacts, facts_of
from glasnost.server.responses import send_json
from glasnost.wire.envelope import error_headers

log = structlog.get_logger()

_REASONS: dict[type[GlasnostError], str] = {
    AuditUnavailable: "audit_unavailable",
    QueueFull: "queue_full",
    Overloaded: "overloaded",
    Stopping: "draining",
    Unauthenticated: "auth",
    Forbidden: "auth",
    RateLimited: "rate_limit",
    PayloadTooLarge: "body_too_large",
    RequestTimeout: "timeout",
    MisdirectedRequest: "bad_host",
}
_CLIENT_GONE = "499"


class MeasureMiddleware:
    """Opens the request's facts, adds `x-request-id`, and counts the request when its last byte has left."""

    def __init__(self, app: ASGIApp, metrics: Metrics, drain: Drain) -> None:
        self._app = app
        self._metrics = metrics
        self._drain = drain

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on everything but lifespan unchanged."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        facts = RequestFacts.open(scope)
        since = time.perf_counter()
        code = _CLIENT_GONE

        async def send_with_id(message: Message) -> None:
            nonlocal code
            if message["type"] == "http.response.start":
                code = str(message["status"])
                message["headers"] = [*message.get("headers", ()), (b"x-request-id", facts.request_id.encode())]
                if self._drain.begun:  # the next request of this client belongs to another process
                    message["headers"].append((b"connection", b"close"))
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        except ClientDisconnected:
            code = _CLIENT_GONE
        finally:
            self._count(facts, code, time.perf_counter() - since)

    def _count(self, facts: RequestFacts, code: str, seconds: float) -> None:
        stream = "true" if facts.stream else "false"
        self._metrics.requests.labels(facts.endpoint, facts.model, code, stream).inc()
        self._metrics.request_duration.labels(facts.endpoint, stream).observe(seconds)


class ErrorMiddleware:
    """Turns every exception into the OpenAI error object; what it did not expect is logged and shown to nobody."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer errors as long as no answer has begun."""
        started = False

        async def send_noting(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, send_noting)
        except ClientDisconnected:
            raise
        except Exception as error:
            if scope["type"] != "http" or started:
                raise
            if isinstance(error, GlasnostError):
                self._count(error)
            else:
                log.exception("request_failed", request_id=facts_of(scope).request_id)
            status = error.status if isinstance(error, GlasnostError) else 500
            await send_json(send, facts_of(scope).error_body(error), status, error_headers(error))

    def _count(self, error: GlasnostError) -> None:
        reason = _REASONS.get(type(error))
        if reason is not None:
            self._metrics.rejections.labels(reason).inc()


class HostMiddleware:
    """Refuses requests for a host that is not ours: a web page that rebinds its name to this address gets nothing."""

    def __init__(self, app: ASGIApp, allowed: Sequence[str]) -> None:
        """Take the allowed names without ports; none at all allows every name."""
        self._app = app
        self._allowed = frozenset(name.lower() for name in allowed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Compare the Host header, without its port, with the allowed names."""
        if scope["type"] == "http" and self._allowed and _host(scope) not in self._allowed:
            raise MisdirectedRequest("This server does not answer for that host; add it to server.allowed_hosts.")
        await self._app(scope, receive, send)


class LoadMiddleware:
    """Bounds the requests being served at once and counts them by endpoint."""

    def __init__(self, app: ASGIApp, metrics: Metrics, limit: int, endpoints: Mapping[str, str]) -> None:
        """Take the names of the endpoints by their paths."""
        self._app = app
        self._gauge = metrics.in_flight
        self._endpoints = endpoints
        self._limit = limit
        self._now = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse what is above the limit; probes and metrics are never refused."""
        if scope["type"] != "http" or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        if self._now >= self._limit:
            raise Overloaded("Too many requests are being served; try again.", retry_after=1)
        gauge = self._gauge.labels(self._endpoints.get(scope["path"], "other"))
        self._now += 1
        gauge.inc()
        try:
            await self._app(scope, receive, send)
        finally:
            self._now -= 1
            gauge.dec()


def _host(scope: Scope) -> str:
    value = str(dict(scope["headers"]).get(b"host", b""), "latin-1").lower()
    return value[: value.find("]") + 1] if value.startswith("[") else value.partition(":")[0]
