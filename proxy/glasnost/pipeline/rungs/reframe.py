"""The rung `reframe`: the same question, with a system message that asks for documented facts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from glasnost.pipeline.rungs.prompts import shipped
from glasnost.pipeline.rungs.way import Plain
from glasnost.wire.chat import ChatRequest


class Reframe(Plain):
    """Adds `prompt` to the client's system message; the one that ships names no topic, which would be steering."""

    def __init__(self, prompt: str | None = None) -> None:
        self.prompt = prompt or shipped("reframe")

    def request(self, request: ChatRequest) -> ChatRequest:
        """Give the request with the added words."""
        return request.with_fields(messages=with_system(list(request.messages), self.prompt))


def with_system(messages: list[Mapping[str, Any]], text: str) -> list[Mapping[str, Any]]:
    """Add to the client's system message, or put one in front: many templates take only one, and only there."""
    if not messages or messages[0].get("role") not in ("system", "developer"):
        return [{"role": "system", "content": text}, *messages]
    first = messages[0]
    content = first.get("content") or ""
    if isinstance(content, str):
        return [{**first, "content": f"{content}\n\n{text}".strip()}, *messages[1:]]
    return [{**first, "content": [*content, {"type": "text", "text": text}]}, *messages[1:]]
