"""The hooks that other gateways call: a question is remembered, an answer is judged, and withheld by policy."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import MutableMapping
from typing import Any

from starlette.types import Receive, Scope, Send

from glasnost.config import Config
from glasnost.pipeline.pipeline import Pipeline
from glasnost.policy.label import Action
from glasnost.server.body import read_json
from glasnost.server.facts import facts_of
from glasnost.server.responses import send_json
from glasnost.wire import jsonio
from glasnost.wire.audits import case_of
from glasnost.wire.gateways.agentgateway import AGENTGATEWAY_REQUEST, AGENTGATEWAY_RESPONSE
from glasnost.wire.gateways.hook import Body, Hook
from glasnost.wire.gateways.litellm import LITELLM
from glasnost.wire.gateways.portkey import PORTKEY

HOOKS = {
    "/beta/litellm_basic_guardrail_api": LITELLM,
    "/gateways/portkey": PORTKEY,
    "/request": AGENTGATEWAY_REQUEST,
    "/response": AGENTGATEWAY_RESPONSE,
}
#: What the questions that wait for their answers may take together.
MEMORY_BYTES = 64 << 20


class Questions:
    """What was asked, by exchange, until it is answered or pushed out by newer ones."""

    def __init__(self, limit: int = MEMORY_BYTES) -> None:
        """Take the limit in bytes of JSON."""
        self._limit = limit
        self._size = 0
        self._kept: OrderedDict[str, tuple[list[Body], int]] = OrderedDict()

    def keep(self, exchange: str, messages: list[Body]) -> None:
        """Remember what was asked."""
        self.take(exchange)
        size = len(jsonio.dumps(messages))
        self._kept[exchange] = (messages, size)
        self._size += size
        while self._size > self._limit:
            _, (_, dropped) = self._kept.popitem(last=False)
            self._size -= dropped

    def take(self, exchange: str) -> list[Body] | None:
        """Give back what was asked, and forget it."""
        messages, size = self._kept.pop(exchange, (None, 0))
        self._size -= size
        return messages


class GatewayHook:
    """The hook of one gateway as an ASGI application."""

    def __init__(self, hook: Hook, pipeline: Pipeline, config: Config, questions: Questions) -> None:
        self._hook = hook
        self._pipeline = pipeline
        self._config = config
        self._questions = questions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one call."""
        facts = facts_of(scope)
        facts.endpoint = self._hook.name
        call = self._hook.read(await read_json(scope, receive, self._config.server))
        exchange = f"{self._hook.name} {call.exchange or _request_id(scope)}".rstrip()
        if not call.answered:
            if call.messages and exchange != self._hook.name:
                self._questions.keep(exchange, call.messages)
            await send_json(send, self._hook.reply(None))
            return
        asked = call.messages or self._questions.take(exchange) or []
        case = case_of(asked, {"choices": call.choices}, "answer")
        judged = await self._pipeline.audit(case, call.model, Action.BLOCK, facts.caller)
        await send_json(send, self._hook.reply(judged.as_dict()))


def _request_id(scope: MutableMapping[str, Any]) -> str:
    """Give the id that a gateway sends along with the question and with the answer, empty when it sends none."""
    return str(dict(scope["headers"]).get(b"x-request-id", b""), "latin-1")
