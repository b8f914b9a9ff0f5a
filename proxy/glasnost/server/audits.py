"""POST /v1/audits: the auditor as a service, for answers that were given elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from starlette.types import Receive, Scope, Send

from glasnost.config import Config
from glasnost.pipeline.pipeline import Pipeline
from glasnost.policy.label import CENSORING, Action
from glasnost.record.exchange import Exchange
from glasnost.server.body import read_json
from glasnost.server.facts import facts_of
from glasnost.server.responses import send_json
from glasnost.wire.audits import cases_of


class Audits:
    """The path as an ASGI application."""

    def __init__(self, pipeline: Pipeline, config: Config) -> None:
        self._pipeline = pipeline
        self._config = config

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Judge every case of one request."""
        facts = facts_of(scope)
        facts.endpoint = "audits"
        body = await read_json(scope, receive, self._config.server)
        model = str(body.get("model") or "")
        if model in self._pipeline.models:
            facts.model = model
        exchanges = [await self._pipeline.audit(case, model, Action.FLAG, facts.caller) for case in cases_of(body)]
        await send_json(send, _results(exchanges))


def _results(exchanges: Sequence[Exchange]) -> dict[str, Any]:
    """Give the body, in the shape of a moderation."""
    first = exchanges[0]
    return {
        "id": first.id,
        "model": "glasnost",
        "policy": first.policy_hash,
        "results": [_result(exchange) for exchange in exchanges],
    }


def _result(exchange: Exchange) -> dict[str, Any]:
    verdict = exchange.verdict
    assert verdict is not None  # noqa: S101  # an exchange that was judged has one
    scores = {label.value: verdict.probability if label is verdict.label else 0.0 for label in sorted(CENSORING)}
    categories = {label.value: verdict.censored and label is verdict.label for label in sorted(CENSORING)}
    result = {"flagged": verdict.censored, "categories": categories, "category_scores": scores}
    return {**result, "glasnost": exchange.as_dict()}
