"""The dialect of `/v1/messages`: a message, whole or as the events of a stream, and errors under their names there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from glasnost.wire import jsonio, sse
from glasnost.wire.answer import Chunk, Completion
from glasnost.wire.dialect import Api
from glasnost.wire.envelope import error_object, verdict_in
from glasnost.wire.messages.content import Blocks, Event
from glasnost.wire.messages.request import API, chat_request

_STOP_REASONS = {
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "function_call": "tool_use",
    "content_filter": "refusal",
}
_ERROR_TYPES = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
}


class MessagesDialect:
    """One Messages request."""

    def __init__(self, body: Mapping[str, Any], id: str, created: int) -> None:  # noqa: A002, ARG002  # no time here
        self.requests = (chat_request(body),)
        self._stops = self.requests[0].body.get("stop") or ()
        self._id = f"msg_{id}"
        self._blocks = Blocks(id)
        self._model = self.requests[0].model
        self._usage: Mapping[str, Any] = {}
        self._glasnost: Any = None
        self._stop: dict[str, Any] = {"stop_reason": None, "stop_sequence": None}
        self._begun = False

    def whole(self, completions: Sequence[Completion]) -> dict[str, Any]:
        """Give the message."""
        (completion,) = completions
        choice = completion["choices"][0]
        self._note(completion, choice)
        self._blocks.delta(choice.get("message") or {})
        return {**self._message(self._blocks.content()), **self._stop, "glasnost": self._glasnost}

    def frames(self, chunk: Chunk, number: int) -> bytes:  # noqa: ARG002  # there is one request only
        """Give the events of a chunk, with the one that opens the stream before the first."""
        choice: Mapping[str, Any] = next(iter(chunk.get("choices") or ()), {})
        self._note(chunk, choice)
        events: list[Event] = []
        if not self._begun:
            self._begun = True
            events.append({"type": "message_start", "message": {**self._message([]), **self._stop}})
        return _framed([*events, *self._blocks.delta(choice.get("delta") or {})])

    def end(self) -> bytes:
        """End every block, and give why the message ended, what it took, and the `glasnost` object."""
        last = {"type": "message_delta", "delta": self._stop, "usage": self._counts(), "glasnost": self._glasnost}
        return _framed([*self._blocks.close(), last, {"type": "message_stop"}])

    def fail(self, error: BaseException) -> bytes:
        """Give an error event."""
        return _framed([{**error_body(error), **verdict_in(error)}])

    def _note(self, said: Mapping[str, Any], choice: Mapping[str, Any]) -> None:
        self._model = said.get("model") or self._model
        self._usage = said.get("usage") or self._usage
        self._glasnost = said.get("glasnost") or self._glasnost
        reason = choice.get("finish_reason")
        if reason is None:
            return
        self._stop["stop_reason"] = _STOP_REASONS.get(reason, "end_turn")
        if reason == "stop" and choice.get("stop_reason") in self._stops:  # as vLLM tells which text ended it
            self._stop = {"stop_reason": "stop_sequence", "stop_sequence": choice["stop_reason"]}

    def _message(self, content: list[dict[str, Any]]) -> dict[str, Any]:
        message = {"id": self._id, "type": "message", "role": "assistant", "model": self._model, "content": content}
        return {**message, "usage": self._counts()}

    def _counts(self) -> dict[str, Any]:
        cached = (self._usage.get("prompt_tokens_details") or {}).get("cached_tokens") or 0
        return {
            "input_tokens": (self._usage.get("prompt_tokens") or 0) - cached,
            "cache_read_input_tokens": cached,
            "cache_creation_input_tokens": 0,
            "output_tokens": self._usage.get("completion_tokens") or 0,
        }


def error_body(error: BaseException) -> dict[str, Any]:
    """Give `{"type": "error", "error": {...}}`: our error object under Anthropic's name for its type."""
    said = error_object(error)
    status = getattr(error, "status", 500)
    fallback = "invalid_request_error" if 400 <= status < 500 else "api_error"
    return {"type": "error", "error": {**said, "type": _ERROR_TYPES.get(status, fallback)}}


def _framed(events: Sequence[Event]) -> bytes:
    return b"".join(sse.encode(jsonio.dumps(event), event["type"]) for event in events)


MESSAGES = Api(API, MessagesDialect, error_body)
