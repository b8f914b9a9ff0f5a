"""The rung `raw`: the conversation as bare text, without the chat template that a model was taught to decline in."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

from glasnost.errors import RungFailed, UpstreamError
from glasnost.pipeline.rungs import needs
from glasnost.pipeline.rungs.prompts import shipped
from glasnost.pipeline.rungs.way import Ask
from glasnost.upstream.base import Api
from glasnost.wire.answer import Chunk, Completion
from glasnost.wire.chat import ChatRequest
from glasnost.wire.chunk import Frame

_SPEAKERS = {"user": "Question: ", "assistant": "Answer: "}
# A text is continued until it is told to stop: the next question would be the model's own.
_STOPS = ("\nQuestion:",)
# /v1/completions stops after 16 tokens where it is told nothing.
_MAX_TOKENS = 512
_KEPT = ("temperature", "top_p", "top_k", "min_p", "seed", "n", "user", "frequency_penalty", "presence_penalty")


class Raw:
    """Asks `/v1/completions`; `prompt` holds `{conversation}`, where questions and answers so far go."""

    def __init__(self, prompt: str | None = None) -> None:
        self._prompt = prompt or shipped("raw")

    def lacks(self, request: ChatRequest) -> str | None:
        """Refuse what only a chat template can bring to the model."""
        if request.bare:
            return "It is bare text already."
        if needs.tools(request):
            return "Without its chat template the model could call no tool."
        if needs.form(request):
            return "Bare text keeps to no response_format."
        if needs.log_probabilities(request):
            return "Log probabilities have another shape there."
        return "Bare text holds text alone." if needs.more_than_text(request) else None

    async def complete(self, ask: Ask) -> Completion:
        """Answer in one piece."""
        if not isinstance(ask.upstream, Api):
            raise RungFailed(f"The upstream {ask.upstream.name!r} has no /v1/completions.", code="rung_unsupported")
        answer = await ask.upstream.post("/completions", self.body(ask.request))
        try:
            choices = [_choice(choice) for choice in answer["choices"]]
        except (KeyError, TypeError):
            message = f"The upstream {ask.upstream.name!r} sent no completion."
            raise UpstreamError(message) from None
        return {**answer, "object": "chat.completion", "choices": choices}

    async def stream(self, ask: Ask) -> AsyncGenerator[Chunk]:
        """Answer in chunks, each choice's whole text in one."""
        completion = await self.complete(ask)
        frame = Frame(str(completion.get("id", "")), int(completion.get("created") or 0), ask.request.model)
        for choice in completion["choices"]:
            yield frame.chunk(choice["message"], index=choice["index"])
        for choice in completion["choices"]:
            yield frame.chunk({}, index=choice["index"], finish_reason=choice["finish_reason"])
        if completion.get("usage"):
            yield frame.usage(completion["usage"])

    def body(self, request: ChatRequest) -> dict[str, Any]:
        """Give what goes to `/v1/completions`: the client's system message, then questions and answers in turn."""
        own = request.body.get("stop") or []
        stops = [own] if isinstance(own, str) else list(own)
        most = request.body.get("max_completion_tokens") or request.body.get("max_tokens") or _MAX_TOKENS
        kept = {field: request.body[field] for field in _KEPT if request.body.get(field) is not None}
        # The OpenAI API takes four stops; a client's own come first.
        return {
            **kept,
            "model": request.model,
            "prompt": self._prompt.replace("{conversation}", _as_text(request)),
            "stop": [*stops, *_STOPS][:4],
            "max_tokens": most,
        }


def _as_text(request: ChatRequest) -> str:
    turns = request.conversation.turns
    said = [f"{_SPEAKERS.get(turn.role, '')}{turn.text.strip()}" for turn in turns if turn.text.strip()]
    return "\n\n".join([*said, "Answer:"])


def _choice(choice: dict[str, Any]) -> dict[str, Any]:
    message = {"role": "assistant", "content": str(choice["text"]).strip()}
    return {
        "index": choice.get("index") or 0,
        "message": message,
        "logprobs": None,
        "finish_reason": choice.get("finish_reason") or "stop",
    }
