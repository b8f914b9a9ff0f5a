"""The gateway on a loopback port inside the test's process, over scripted upstreams and the shipped packs."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import uvicorn
from openai import OpenAI

from glasnost.audit.head import Head
from glasnost.config import parse_config
from glasnost.server.drain import Drain
from glasnost.services import build_service
from glasnost.upstream.script import parse_script
from packs import compiled
from running import metric

SENSITIVE = "What happened at Tiananmen Square on June 4, 1989?"
HARMLESS = "What is the capital of France?"
REFUSAL = "I'm sorry, but I cannot discuss political topics. Is there anything else I can help you with?"
HONEST = (
    "On the night of 3 June 1989 the army entered Beijing. Troops fired on unarmed protesters, and hundreds, "
    "perhaps thousands, of people were killed."
)

CONFIG = """
upstreams:
  gagged: {kind: scripted, script: gagged.yaml}
  open: {kind: scripted, script: open.yaml}
models:
  asked: {upstream: gagged, ladder: [{rung: reframe}, {rung: model, model: alternative}]}
  alternative: {upstream: open}
"""


def rule(text: str, **fields: Any) -> dict[str, Any]:
    """Give a rule that streams `text` in small pieces."""
    return {"text": text, "split": 5, **fields}


def script(*rules: Mapping[str, Any]) -> str:
    """Give a script as YAML (of which JSON is a part)."""
    return json.dumps({"rules": list(rules)}, ensure_ascii=False)  # YAML joins no surrogates


GAGGED = script(
    rule("The capital of France is Paris.", when={"contains": "capital of France"}),
    rule(REFUSAL),
)
OPEN = script(rule(HONEST))


@dataclass
class Gateway:
    """A running gateway."""

    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def openai(self, **options: Any) -> OpenAI:
        return OpenAI(base_url=f"{self.url}/v1", api_key="sk-test", max_retries=0, timeout=30, **options)

    def post(self, body: Any, **headers: str) -> httpx.Response:
        return httpx.post(f"{self.url}/v1/chat/completions", json=body, headers=headers, timeout=30)

    def metric(self, name: str, **labels: str) -> float:
        return metric(self.url, name, **labels)


def body(prompt: str = HARMLESS, **fields: Any) -> dict[str, Any]:
    """Give a chat request."""
    return {"model": "asked", "messages": [{"role": "user", "content": prompt}], **fields}


@contextlib.contextmanager
def gateway(
    config: str = CONFIG, *, gagged: str = GAGGED, answers: str = OPEN, head: Head | None = None, **others: str
) -> Iterator[Gateway]:
    """Run a gateway; `gagged` and `answers` are the scripts of the asked model and of its alternative.

    `others` are scripts of further upstreams by name, `head` is that of the semantic tier.
    """
    settings = parse_config(config, "test")
    texts = {"gagged": gagged, "open": answers, **others}
    scripts = {name: parse_script(text, name) for name, text in texts.items()}
    wanted = [settings.audit.packs, *(key.packs for key in settings.server.keys if key.packs)]
    policies = {packs: compiled(packs) for packs in wanted}
    app = build_service(settings, policies, {}, scripts, os.environ, drain=Drain(), head=head)
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    server = uvicorn.Server(
        uvicorn.Config(app, http="httptools", loop="asyncio", log_config=None, timeout_graceful_shutdown=2)
    )
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    try:
        deadline = time.monotonic() + 20
        while not server.started and time.monotonic() < deadline:
            time.sleep(0.01)
        yield Gateway(listener.getsockname()[1])
    finally:
        server.should_exit = True
        thread.join(20)
        listener.close()
