"""The engine's API: which path is answered where, and how errors leave it."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from glasnost.engine.routes.chat import apply_template, chat
from glasnost.engine.routes.completions import completions
from glasnost.engine.routes.embeddings import embeddings
from glasnost.engine.routes.facts import livez, models, props, readyz
from glasnost.engine.routes.request import Engine
from glasnost.engine.routes.tokens import detokenize, tokenize
from glasnost.errors import GlasnostError, MethodNotAllowed, NotFound
from glasnost.wire.envelope import error_body, error_headers


def create_app(engine: Engine) -> ASGIApp:
    """Give the ASGI app; paths work with and without `/v1`, as clients differ in what they call the base."""
    routes = [Route("/livez", livez), Route("/readyz", readyz)]
    for base in ("", "/v1"):
        routes += [
            Route(f"{base}/models", models),
            Route(f"{base}/props", props),
            Route(f"{base}/chat/completions", chat, methods=["POST"]),
            Route(f"{base}/completions", completions, methods=["POST"]),
            Route(f"{base}/embeddings", embeddings, methods=["POST"]),
            Route(f"{base}/tokenize", tokenize, methods=["POST"]),
            Route(f"{base}/detokenize", detokenize, methods=["POST"]),
            Route(f"{base}/apply-template", apply_template, methods=["POST"]),
        ]
    app = Starlette(
        routes=routes,
        exception_handlers={
            GlasnostError: _failed,
            HTTPException: _no_route,
            ClientDisconnect: _gone,
            Exception: _failed,
        },
    )
    app.state.engine = engine
    return app


async def _failed(_request: Request, error: Exception) -> Response:
    status = error.status if isinstance(error, GlasnostError) else 500
    return JSONResponse(error_body(error), status, error_headers(error))


async def _no_route(request: Request, error: Exception) -> Response:
    if isinstance(error, HTTPException) and error.status_code == 405:
        return await _failed(request, MethodNotAllowed(f"{request.method} is not allowed for this path."))
    return await _failed(request, NotFound("There is no such path."))


async def _gone(_request: Request, _error: Exception) -> Response:
    # Nobody reads it: the connection is closed.
    return Response(status_code=499)
