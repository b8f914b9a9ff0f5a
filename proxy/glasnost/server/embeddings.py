"""POST /v1/embeddings: vectors of an upstream that makes them."""

from __future__ import annotations

from typing import Any

from starlette.types import Receive, Scope, Send

from glasnost.config import Config
from glasnost.pipeline.pipeline import Pipeline
from glasnost.server.body import read_json
from glasnost.server.disconnect import until_disconnect
from glasnost.server.drain import Drain
from glasnost.server.facts import facts_of
from glasnost.server.keys import check_model
from glasnost.server.responses import send_json
from glasnost.wire.embeddings import model_of


class Embeddings:
    """The path as an ASGI application."""

    def __init__(self, pipeline: Pipeline, config: Config, drain: Drain) -> None:
        self._pipeline = pipeline
        self._config = config
        self._drain = drain

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        facts = facts_of(scope)
        facts.endpoint = "embeddings"
        body = await read_json(scope, receive, self._config.server)
        model = model_of(body)
        check_model(facts.caller, model)
        if model in self._pipeline.models:
            facts.model = model
        await until_disconnect(receive, self._embed(send, body, model), self._drain)

    async def _embed(self, send: Send, body: dict[str, Any], model: str) -> None:
        await send_json(send, await self._pipeline.embed(body, model))
