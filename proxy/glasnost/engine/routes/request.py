"""What all routes share: the engine, who may ask it, and the body that was sent."""

from __future__ import annotations

import asyncio
import hmac
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from typing import Any

from starlette.requests import Request

from glasnost.engine.adapters import Adapters, parse_adapters
from glasnost.engine.facts import Fingerprint
from glasnost.engine.opening import Opening, Watch
from glasnost.engine.prompt import Prompter
from glasnost.engine.reasoning import Thinking
from glasnost.engine.refusals import Refusals
from glasnost.engine.settings import EngineSettings
from glasnost.engine.vectors import Vectors
from glasnost.engine.worker import Worker
from glasnost.errors import InvalidRequest, ModelNotFound, PayloadTooLarge, Unauthenticated, UnsupportedMedia
from glasnost.wire.chunk import Frame
from glasnost.wire.jsonio import loads_object

MAX_BODY = 16 << 20
MAX_NESTS, MAX_COMMAS = 100_000, 500_000


@dataclass(frozen=True, slots=True)
class Engine:
    """Everything that the routes need."""

    settings: EngineSettings
    worker: Worker
    prompter: Prompter
    vectors: Vectors
    refusals: Refusals
    fingerprint: Fingerprint
    created: int

    def frame(self, kind: str) -> Frame:
        """Begin an answer, whose id starts with its kind."""
        return Frame(f"{kind}-{uuid.uuid4().hex}", int(time.time()), self.settings.name)

    async def watch(self, thinking: Thinking) -> Watch:
        """Give what watches the openings of an answer's choices."""
        await asyncio.to_thread(self.refusals.following, b"")
        return partial(Opening, thinking=thinking, refusals=self.refusals)

    def adapters(self, body: Mapping[str, Any]) -> Adapters:
        """Give the adapters that a request asks for; InvalidRequest when they are not there."""
        return parse_adapters(body, [(lora.name, lora.scale) for lora in self.settings.loras])

    def check_model(self, name: str | None) -> None:
        """Refuse a request for another model with ModelNotFound."""
        if name != self.settings.name:
            raise ModelNotFound(f"This engine serves the model {self.settings.name!r} only.", param="model")

    def check_generates(self, name: str | None) -> None:
        """Refuse a request for another model, or for text of one that only embeds."""
        self.check_model(name)
        if self.vectors.alone:
            raise InvalidRequest("This model generates no text; ask it for /v1/embeddings.", param="model")


def engine_of(request: Request) -> Engine:
    """Give the engine to anybody."""
    engine: Engine = request.app.state.engine
    return engine


def authenticated(request: Request) -> Engine:
    """Give the engine to those who know its key, Unauthenticated to others."""
    engine = engine_of(request)
    key = engine.settings.api_key
    if key is not None:
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        # Digests are compared, so that neither content nor length of the key shows in the time it takes.
        digests = (sha256(text.encode("utf-8", "surrogateescape")).digest() for text in (given, key))
        if not hmac.compare_digest(*digests):
            raise Unauthenticated("The API key is missing or wrong.")
    return engine


async def posted(request: Request) -> tuple[Engine, Mapping[str, Any]]:
    """Give the engine and the JSON object that was sent to it."""
    engine = authenticated(request)
    body = await _body(request)
    # To read so many values takes longer than to refuse anything else.
    if body.count(b"{") + body.count(b"[") > MAX_NESTS or body.count(b",") > MAX_COMMAS:
        raise InvalidRequest(
            f"The body holds more than {MAX_NESTS} brackets and braces, or {MAX_COMMAS} commas; send less at once.",
            code="too_many_values",
        )
    return engine, loads_object(body)


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
