"""The rung `prefill`: the same question, with the factual beginning of its answer written for the model."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any

from glasnost.pipeline.rungs import needs
from glasnost.pipeline.rungs.prompts import shipped
from glasnost.pipeline.rungs.way import Ask
from glasnost.wire.answer import Chunk, Completion
from glasnost.wire.chat import ChatRequest
from glasnost.wire.language import language_of

#: What models that think write when they do not: a server that renders no closed thinking by itself needs it spelt.
CLOSED = "<think>\n\n</think>\n\n"


class Prefill:
    """Sends the opening as the last message, and gives it back as the beginning of the answer that continues it."""

    def __init__(
        self, prompt: str | None = None, *, closed_think: bool = False, fields: Mapping[str, Any] | None = None
    ) -> None:
        """Take the opening, by default one in the question's language, and fields that the server needs for it."""
        self._prompt = prompt
        self._before = CLOSED if closed_think else ""
        self._fields = dict(fields or {})

    def lacks(self, request: ChatRequest) -> str | None:
        """Refuse what an opening in prose would break."""
        if request.bare:
            return "Bare text has no turn that an opening could begin."
        if needs.tools(request):
            return "A written opening is prose, and the model could call no tool."
        if needs.form(request):
            return "A written opening is prose, and the answer must keep to response_format."
        if needs.log_probabilities(request):
            return "A written opening has no log probabilities."
        return None

    async def complete(self, ask: Ask) -> Completion:
        """Answer in one piece."""
        opening = self.opening(ask.request)
        completion = await ask.upstream.complete(self._request(ask.request, opening))
        choices = [{**choice, "message": _begun(choice["message"], opening)} for choice in completion["choices"]]
        return {**completion, "choices": choices}

    async def stream(self, ask: Ask) -> AsyncGenerator[Chunk]:
        """Answer chunk by chunk; the opening comes with the first text of every choice."""
        opening = self.opening(ask.request)
        begun: set[int] = set()
        async with aclosing(ask.upstream.stream(self._request(ask.request, opening))) as chunks:
            async for chunk in chunks:
                for choice in chunk.get("choices") or ():
                    delta, index = choice.get("delta") or {}, choice.get("index") or 0
                    if index not in begun and delta.get("content"):
                        begun.add(index)
                        choice["delta"] = _begun(delta, opening)
                yield chunk

    def opening(self, request: ChatRequest) -> str:
        """Give the beginning of the answer, in the language of the question where there is one."""
        language = "zh" if language_of(request.conversation.prompt) == "zh" else "en"
        return self._prompt or shipped(f"prefill.{language}")

    def _request(self, request: ChatRequest, opening: str) -> ChatRequest:
        last = {"role": "assistant", "content": self._before + opening}
        return request.with_fields(messages=[*request.messages, last], **self._fields)


def _begun(message: Mapping[str, Any], opening: str) -> dict[str, Any]:
    content = message.get("content")
    return {**message, "content": opening + content} if isinstance(content, str) and content else dict(message)
