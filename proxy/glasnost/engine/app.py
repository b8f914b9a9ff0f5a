"""The engine's API: chat completions, the model's name, and how the engine is."""

from __future__ import annotations

import asyncio
import hmac
import time
import uuid
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from glasnost.engine.answer import Chunks, Tally, Whole
from glasnost.engine.chat import prepare
from glasnost.engine.prompt import Prompter
from glasnost.engine.respond import StreamedAnswer, WholeAnswer
from glasnost.engine.settings import EngineSettings
from glasnost.engine.worker import Worker
from glasnost.errors import (
    GlasnostError,
    MethodNotAllowed,
    ModelNotFound,
    NotFound,
    PayloadTooLarge,
    Unauthenticated,
    UnsupportedMedia,
)
from glasnost.wire.chat import ChatRequest
from glasnost.wire.chunk import Frame
from glasnost.wire.envelope import error_body, error_headers
from glasnost.wire.jsonio import loads_object

MAX_BODY = 16 << 20


@dataclass(frozen=True, slots=True)
class Engine:
    """Everything that the routes need."""

    settings: EngineSettings
    worker: Worker
    prompter: Prompter
    created: int


def create_app(engine: Engine) -> ASGIApp:
    """Give the ASGI app; paths work with and without `/v1`, as clients differ in what they call the base."""
    routes = [Route("/livez", _livez), Route("/readyz", _readyz)]
    for base in ("", "/v1"):
        routes += [
            Route(f"{base}/models", _models),
            Route(f"{base}/chat/completions", _chat, methods=["POST"]),
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


async def _chat(request: Request) -> Any:
    engine = _engine(request)
    _authenticate(request, engine.settings.api_key)
    chat = ChatRequest.parse(loads_object(await _body(request)))
    if chat.model != engine.settings.name:
        raise ModelNotFound(f"This engine serves the model {engine.settings.name!r} only.", param="model")
    vocabulary, slots = engine.worker.model.vocabulary, engine.settings.slots
    job = await asyncio.to_thread(prepare, chat, engine.prompter, vocabulary=vocabulary, slots=slots)
    ticket = engine.worker.submit(job.prompt.tokens, job.sampling, job.choices)
    frame = Frame(f"chatcmpl-{uuid.uuid4().hex}", int(time.time()), engine.settings.name)
    tally = Tally(len(job.prompt.tokens), job.choices)
    if not chat.stream:
        return WholeAnswer(ticket, Whole(frame, tally, job.output, choices=job.choices), tally)
    chunks = Chunks(frame, tally, job.output, choices=job.choices, include_usage=chat.include_usage)
    return StreamedAnswer(ticket, chunks, tally)


async def _models(request: Request) -> Response:
    engine = _engine(request)
    _authenticate(request, engine.settings.api_key)
    model = {"id": engine.settings.name, "object": "model", "created": engine.created, "owned_by": "glasnost"}
    return JSONResponse({"object": "list", "data": [model]})


async def _livez(_request: Request) -> Response:
    return JSONResponse({"status": "alive"})


async def _readyz(request: Request) -> Response:
    engine = _engine(request)
    alive = engine.worker.alive
    return JSONResponse({"status": "ready" if alive else "stopped", **_facts(engine)}, 200 if alive else 503)


def _facts(engine: Engine) -> dict[str, Any]:
    """Give what the engine serves and how busy it is."""
    settings, worker = engine.settings, engine.worker
    scheduler = worker.scheduler
    return {
        "model": {
            "name": settings.name,
            "file": settings.path.name,
            # The cache of models is content-addressed: its file names are digests that `pull` has verified.
            "sha256": settings.path.stem if _is_digest(settings.path.stem) else None,
            "bytes": settings.path.stat().st_size,
            "description": worker.model.description,
            "context": worker.context.longest,
            "vocabulary": worker.model.vocabulary,
            "template_sha256": engine.prompter.template.sha256,
        },
        "slots": settings.slots,
        "busy": scheduler.busy,
        "queued": scheduler.queued,
        "queue_limit": settings.queue,
        "kv_used": scheduler.cells_used,
        "kv_size": worker.context.size,
        **asdict(worker.counters),
    }


def _engine(request: Request) -> Engine:
    engine: Engine = request.app.state.engine
    return engine


def _is_digest(text: str) -> bool:
    return len(text) == 64 and all(character in "0123456789abcdef" for character in text)


def _authenticate(request: Request, key: str | None) -> None:
    if key is None:
        return
    given = request.headers.get("authorization", "").removeprefix("Bearer ")
    # Digests are compared, so that neither content nor length of the key shows in the time it takes.
    digests = (sha256(text.encode("utf-8", "surrogateescape")).digest() for text in (given, key))
    if not hmac.compare_digest(*digests):
        raise Unauthenticated("The API key is missing or wrong.")


async def _body(request: Request) -> bytes:
    # A web page may post any other type to this port without the browser asking first.
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise UnsupportedMedia("Send the body as `Content-Type: application/json`.")
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MAX_BODY:
            raise PayloadTooLarge(f"The body is larger than {MAX_BODY} bytes.")
    return bytes(body)


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
