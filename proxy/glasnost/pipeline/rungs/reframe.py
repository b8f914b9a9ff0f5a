"""The rung `reframe`: the same question, with words beside it that ask for documented facts.

An engine computes anew what follows the first changed token. In front, the words are shared by all reframed questions;
behind a long conversation, they leave it as it was computed. So they go where less has to be computed again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from glasnost.pipeline.rungs.prompts import shipped
from glasnost.pipeline.rungs.way import Plain
from glasnost.wire.chat import ChatRequest
from glasnost.wire.conversation import text_of

_SYSTEM = ("system", "developer")


class Reframe(Plain):
    """Adds `prompt` to the client's system message, or to a question with much before it.

    The words that ship name no topic, which would be steering.
    """

    def __init__(self, prompt: str | None = None) -> None:
        self.prompt = prompt or shipped("reframe")

    def request(self, request: ChatRequest) -> ChatRequest:
        """Give the request with the added words."""
        messages = list(request.messages)
        system = [message for message in messages[:1] if message.get("role") in _SYSTEM]
        rest = messages[len(system) :]
        long = sum(len(text_of(message.get("content"))) for message in rest) > len(self.prompt)
        if long and rest[-1].get("role") == "user":
            return request.with_fields(messages=[*messages[:-1], _with_text(rest[-1], self.prompt)])
        return request.with_fields(messages=with_system(messages, self.prompt))


def with_system(messages: list[Mapping[str, Any]], text: str) -> list[Mapping[str, Any]]:
    """Add to the client's system message, or put one in front: many templates take only one, and only there."""
    if not messages or messages[0].get("role") not in _SYSTEM:
        return [{"role": "system", "content": text}, *messages]
    return [_with_text(messages[0], text), *messages[1:]]


def _with_text(message: Mapping[str, Any], text: str) -> dict[str, Any]:
    content = message.get("content") or ""
    if isinstance(content, str):
        return {**message, "content": f"{content}\n\n{text}".strip()}
    return {**message, "content": [*content, {"type": "text", "text": text}]}
