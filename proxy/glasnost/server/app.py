"""The gateway as an ASGI application: a list of routes inside a list of middleware."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Protocol

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Route

from glasnost.config import Config, is_loopback
from glasnost.pipeline.pipeline import Pipeline
from glasnost.record.metrics import Metrics
from glasnost.record.tracing import Tracer
from glasnost.server.audits import Audits
from glasnost.server.drain import Drain
from glasnost.server.embeddings import Embeddings
from glasnost.server.endpoint import Endpoint
from glasnost.server.gateways import HOOKS, GatewayHook, Questions
from glasnost.server.keys import Guard, KeyMiddleware
from glasnost.server.loop_lag import watch_lag
from glasnost.server.middleware import (
    ErrorMiddleware,
    HostMiddleware,
    LoadMiddleware,
    MeasureMiddleware,
)
from glasnost.server.readings import keep_looking
from glasnost.server.routes import Models, Probes, answer_routing_error
from glasnost.server.tracing import TraceMiddleware
from glasnost.wire.chat_api import CHAT
from glasnost.wire.completions import COMPLETIONS
from glasnost.wire.messages.dialect import MESSAGES
from glasnost.wire.responses.dialect import RESPONSES

APIS = {"/chat/completions": CHAT, "/completions": COMPLETIONS, "/responses": RESPONSES, "/messages": MESSAGES}
_LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")


class Backends(Protocol):
    """What the gateway starts, asks and stops: the upstreams behind its models."""

    async def start(self) -> None:
        """Start what must run before the first request."""
        ...

    def waiting_for(self) -> Sequence[str]:
        """Name the upstreams that could not answer now."""
        ...

    async def aclose(self) -> None:
        """Stop everything."""
        ...


def create_app(  # noqa: PLR0913 - what the composition root hands over
    config: Config,
    pipeline: Pipeline,
    backends: Backends,
    metrics: Metrics,
    *,
    drain: Drain,
    guard: Guard,
    tracer: Tracer | None = None,
) -> Starlette:
    """Put the gateway together; entering its lifespan starts the backends."""
    models = Models(pipeline.models, created=int(time.time()))
    probes = Probes(metrics, drain, backends.waiting_for)
    routes: list[BaseRoute] = [
        Route("/livez", probes.livez),
        Route("/readyz", probes.readyz),
        Route("/metrics", probes.metrics),
    ]
    endpoints = {path: Endpoint(api, pipeline, config, drain) for path, api in APIS.items()}
    for prefix in ("/v1", ""):  # clients with a bare base URL leave the prefix out
        routes += [
            *(Route(prefix + path, endpoint, methods=["POST"]) for path, endpoint in endpoints.items()),
            Route(f"{prefix}/embeddings", Embeddings(pipeline, config, drain), methods=["POST"]),
            Route(f"{prefix}/audits", Audits(pipeline, config), methods=["POST"]),
            Route(f"{prefix}/models", models.all),
            Route(f"{prefix}/models/{{model:path}}", models.one),
        ]
    questions = Questions()
    routes += [
        Route(path, GatewayHook(hook, pipeline, config, questions), methods=["POST"]) for path, hook in HOOKS.items()
    ]
    server = config.server
    traced = [Middleware(TraceMiddleware, tracer=tracer, endpoints=_endpoints())] if tracer is not None else []
    middleware = [
        *traced,
        Middleware(MeasureMiddleware, metrics=metrics, drain=drain),
        Middleware(ErrorMiddleware, metrics=metrics),
        Middleware(HostMiddleware, allowed=_allowed_hosts(config)),
        Middleware(KeyMiddleware, guard=guard),
        Middleware(LoadMiddleware, metrics=metrics, limit=server.max_in_flight, endpoints=_endpoints()),
    ]

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncGenerator[None]:
        await backends.start()
        watching = [asyncio.create_task(watch_lag(metrics.loop_lag))]
        if metrics.shared:
            watching.append(asyncio.create_task(keep_looking(metrics)))
        try:
            yield
        finally:
            for each in watching:
                each.cancel()
            await backends.aclose()

    app = Starlette(
        routes=routes,
        middleware=middleware,
        exception_handlers={HTTPException: answer_routing_error},
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False
    return app


def _endpoints() -> dict[str, str]:
    """Name the endpoints that take work, by their paths."""
    named = {path: api.name for path, api in APIS.items()} | {"/embeddings": "embeddings", "/audits": "audits"}
    hooks = {path: hook.name for path, hook in HOOKS.items()}
    return {prefix + path: name for path, name in named.items() for prefix in ("/v1", "")} | hooks


def _allowed_hosts(config: Config) -> tuple[str, ...]:
    """Give the names we answer for: the configured ones, and our own while we listen on loopback alone."""
    server = config.server
    if server.allowed_hosts or is_loopback(server.host):
        return (*_LOOPBACK_NAMES, server.host, *server.allowed_hosts)
    return ()
