"""The rung `language`: the question in English, and its answer back in the user's language."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from typing import Any

from glasnost.errors import RungFailed
from glasnost.pipeline.rungs import needs
from glasnost.pipeline.rungs.prompts import shipped
from glasnost.pipeline.rungs.way import Ask
from glasnost.wire.answer import Chunk, Completion
from glasnost.wire.chat import ChatRequest
from glasnost.wire.chunk import Frame
from glasnost.wire.conversation import text_of
from glasnost.wire.language import NAMES, language_of

TARGET = "en"
# A translation takes these fields of the client's request, and none that shapes its answer.
_KEPT = ("model", "user", "max_tokens", "max_completion_tokens")


class Language:
    """Translates the question, asks, and translates the answer; `prompt` holds `{language}` where its name goes.

    An answer that is censored already is given as it is, in English: its translation would only cost time.
    """

    def __init__(self, prompt: str | None = None) -> None:
        self._prompt = prompt or shipped("language")

    def lacks(self, request: ChatRequest) -> str | None:
        """Refuse what a translation would change, and questions that are in English already."""
        if request.bare:
            return "Bare text is no question that could be translated."
        if language_of(request.conversation.prompt) == TARGET:
            return "The question is in English already."
        if needs.tools(request) or needs.form(request):
            return "A translation keeps neither calls of tools nor response_format."
        if needs.log_probabilities(request) or request.n > 1:
            return "A translation has neither log probabilities nor several choices."
        return "A translation is of text alone." if needs.more_than_text(request) else None

    async def complete(self, ask: Ask) -> Completion:
        """Answer in one piece."""
        request, user = ask.request, language_of(ask.request.conversation.prompt)
        question = _said(await ask.helper(self._translation(request, request.conversation.prompt, TARGET)))
        if not ask.touches(question):
            # Most often the model declined to translate, which is no question that could be answered.
            raise RungFailed("The translation of the question lost its subject.", code="translation_failed")
        answer = await ask.upstream.complete(_asking(request, question))
        text = _said(answer)
        if not text or language_of(text) == user or ask.censored(answer):
            return answer
        return _with_content(answer, _said(await ask.helper(self._translation(request, text, user))))

    async def stream(self, ask: Ask) -> AsyncGenerator[Chunk]:
        """Answer in chunks, the whole text in one: it is there before its translation begins."""
        completion = await self.complete(ask)
        frame = Frame(str(completion.get("id", "")), int(completion.get("created") or 0), ask.request.model)
        reason = completion["choices"][0].get("finish_reason") or "stop"
        yield frame.chunk({"role": "assistant", "content": _said(completion)})
        yield frame.chunk({}, finish_reason=reason)
        if completion.get("usage"):
            yield frame.usage(completion["usage"])

    def _translation(self, request: ChatRequest, text: str, language: str) -> ChatRequest:
        name = NAMES.get(language, f"the language of this text: {request.conversation.prompt}")
        system = {"role": "system", "content": self._prompt.replace("{language}", name)}
        kept = {field: request.body[field] for field in _KEPT if request.body.get(field) is not None}
        messages = [system, {"role": "user", "content": text}]
        return ChatRequest.parse({**kept, "messages": messages, "temperature": 0})


def _asking(request: ChatRequest, question: str) -> ChatRequest:
    """Put the translation in the place of the last question; what came before it stays as it was said."""
    last = max(index for index, message in enumerate(request.messages) if message["role"] == "user")
    messages = [
        {**message, "content": question} if index == last else message for index, message in enumerate(request.messages)
    ]
    return request.with_fields(messages=messages)


def _said(completion: Completion) -> str:
    return text_of((completion["choices"][0].get("message") or {}).get("content")).strip()


def _with_content(completion: Completion, text: str) -> Completion:
    """Give the answer with another text; its thinking stays out, since it is in English."""
    choice: Mapping[str, Any] = completion["choices"][0]
    return {**completion, "choices": [{**choice, "message": {"role": "assistant", "content": text}}]}
