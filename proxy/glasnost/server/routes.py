"""The small endpoints: models, probes and metrics."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from glasnost.errors import MethodNotAllowed, ModelNotFound, NotFound, RequestError
from glasnost.record.metrics import Metrics
from glasnost.server.drain import Drain
from glasnost.server.facts import facts_of
from glasnost.server.keys import may_ask
from glasnost.wire.envelope import error_body


class Models:
    """GET /v1/models and /v1/models/{id}."""

    def __init__(self, names: Sequence[str], created: int) -> None:
        self._models = {
            name: {"id": name, "object": "model", "created": created, "owned_by": "glasnost"} for name in names
        }

    async def all(self, request: Request) -> Response:
        """List the models of the configuration."""
        facts_of(request.scope).endpoint = "models"
        caller = facts_of(request.scope).caller
        shown = [model for name, model in self._models.items() if may_ask(caller, name)]
        return JSONResponse({"object": "list", "data": shown})

    async def one(self, request: Request) -> Response:
        """Describe one model."""
        facts_of(request.scope).endpoint = "models"
        name = request.path_params["model"]
        if name not in self._models or not may_ask(facts_of(request.scope).caller, name):
            known = ", ".join(self._models)
            raise ModelNotFound(f"There is no model {name!r} here; there are: {known}.", param="model")
        return JSONResponse(self._models[name])


class Probes:
    """GET /livez, /readyz and /metrics; `waiting_for` names what is not ready, empty when a request would be served."""

    def __init__(self, metrics: Metrics, drain: Drain, waiting_for: Callable[[], Sequence[str]]) -> None:
        self._metrics = metrics
        self._drain = drain
        self._backends = waiting_for
        metrics.readings["probes"] = self._look

    async def livez(self, _: Request) -> Response:
        """Say that the process works."""
        return JSONResponse({"live": True})

    async def readyz(self, _: Request) -> Response:
        """Say whether a request would be served now."""
        waiting = self._waiting_for()
        return JSONResponse({"ready": not waiting, "waiting_for": waiting}, 503 if waiting else 200)

    def _look(self) -> None:
        self._metrics.ready.set(not self._waiting_for())
        self._metrics.draining.set(self._drain.begun)

    def _waiting_for(self) -> list[str]:
        return [*(["the end: it is stopping"] if self._drain.begun else []), *self._backends()]

    async def metrics(self, request: Request) -> Response:
        """Expose the metrics in the format that the scraper asks for."""
        accept = request.headers.get("accept", "")
        # Thousands of series take a while to write, the first time above all, in which no stream should stand still.
        text, media_type = await asyncio.to_thread(self._metrics.write, accept)
        return Response(text, media_type=media_type)


async def answer_routing_error(_: Request, error: Exception) -> Response:
    """Answer what the router raises, an unknown path or method, with the error object of every other error."""
    ours: RequestError = NotFound("There is nothing at this path.")
    headers = None
    if isinstance(error, HTTPException) and error.status_code == 405:
        ours, headers = MethodNotAllowed("This path takes another method."), error.headers
    return JSONResponse(error_body(ours), ours.status, headers)
