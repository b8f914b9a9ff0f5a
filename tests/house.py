"""One exchange over scripted upstreams: what a ladder sent, and what the client got."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

from glasnost.config import parse_config
from glasnost.pipeline.pipeline import Pipeline
from glasnost.policy.policy import Policy
from glasnost.record.exchange import Done
from glasnost.upstream.script import parse_script
from glasnost.upstream.scripted import ScriptPlayer
from glasnost.wire.answer import fragments_of
from glasnost.wire.chat import ChatRequest
from packs import compiled

POLICY = compiled(("prc",))
SENSITIVE = "What happened at Tiananmen Square on June 4, 1989?"
REFUSAL = "I'm sorry, but I cannot discuss political topics."
HONEST = "On the night of 3 June 1989 the army entered Beijing. Troops fired on unarmed protesters."


@dataclass
class Heard:
    """A scripted upstream that remembers what it was sent."""

    player: ScriptPlayer
    requests: list[ChatRequest] = field(default_factory=list)

    @property
    def name(self):
        return self.player.name

    def ready(self):
        return True

    async def start(self):
        pass

    async def complete(self, request):
        self.requests.append(request)
        return await self.player.complete(request)

    def stream(self, request):
        self.requests.append(request)
        return self.player.stream(request)

    async def aclose(self):
        pass


class Notes:
    """A recorder that keeps the exchanges."""

    def __init__(self):
        self.exchanges = []

    def opened(self, exchange):  # noqa: ARG002 - only the end is of interest
        return Done()

    def closed(self, exchange):
        self.exchanges.append(exchange)
        return Done()


class House:
    """A pipeline over scripts given as lists of rules, by the upstream's name."""

    def __init__(self, config: str, *, policy: Policy = POLICY, **scripts: list[dict[str, Any]]) -> None:
        self.config = parse_config(config, "test")
        self.heard = {
            name: Heard(ScriptPlayer(name, parse_script(json.dumps({"rules": rules}), name)))
            for name, rules in scripts.items()
        }
        self.notes = Notes()
        self.pipeline = Pipeline(self.config, self.heard, {self.config.audit.packs: policy}, self.notes)

    def ask(self, prompt: str = SENSITIVE, *, messages=None, stream=False, **fields):
        """Ask; gives the text that the client got and the `glasnost` object."""
        body = {"model": "asked", "messages": messages or [{"role": "user", "content": prompt}], **fields}
        return asyncio.run(self._stream(body) if stream else self._complete(body))

    async def _complete(self, body):
        completion, exchange = await self.pipeline.complete(ChatRequest.parse(body))
        message = completion["choices"][0]["message"]
        return message.get("content") or message.get("refusal"), exchange.as_dict(explain=True)

    async def _stream(self, body):
        served = self.pipeline.stream(ChatRequest.parse({**body, "stream": True}), explain=True)
        chunks = [chunk async for chunk in served.chunks()]
        text = "".join(fragment.text for chunk in chunks for fragment in fragments_of(chunk))
        return text, chunks[-1]["glasnost"]
