"""The dialect of `/v1/responses`: the response object, whole or at the end of a stream of numbered events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from glasnost.wire import jsonio, sse
from glasnost.wire.answer import Chunk, Completion
from glasnost.wire.dialect import Api
from glasnost.wire.envelope import error_object, verdict_in
from glasnost.wire.responses.output import Event, Output
from glasnost.wire.responses.request import API, chat_request

#: Fields of the request that the response repeats, with what stands there when they were not given.
_REPEATED: dict[str, Any] = {
    "instructions": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "reasoning": {"effort": None, "summary": None},
    "temperature": 1.0,
    "text": {"format": {"type": "text"}},
    "tool_choice": "auto",
    "tools": [],
    "top_logprobs": 0,
    "top_p": 1.0,
    "truncation": "disabled",
    "user": None,
}
_INCOMPLETE = {"length": "max_output_tokens", "content_filter": "content_filter"}


class ResponsesDialect:
    """One Responses request."""

    def __init__(self, body: Mapping[str, Any], id: str, created: int) -> None:  # noqa: A002
        self.requests = (chat_request(body),)
        self._base = {
            "id": f"resp_{id}",
            "object": "response",
            "created_at": created,
            "background": False,
            "error": None,
            "previous_response_id": None,
            "store": False,
            **{name: default if body.get(name) is None else body[name] for name, default in _REPEATED.items()},
        }
        self._output = Output(id)
        self._model = self.requests[0].model
        self._usage: Any = None
        self._glasnost: Any = None
        self._finish_reason: str | None = None
        self._sequence = 0

    def whole(self, completions: Sequence[Completion]) -> dict[str, Any]:
        """Give the response object."""
        (completion,) = completions
        choice = completion["choices"][0]
        self._note(completion, choice)
        self._output.delta(choice.get("message") or {}, choice.get("logprobs"))
        self._output.close(self._status)
        return self._response(self._status)

    def frames(self, chunk: Chunk, number: int) -> bytes:  # noqa: ARG002  # there is one request only
        """Give the events of a chunk, with those that open the stream before the first."""
        choice: Mapping[str, Any] = next(iter(chunk.get("choices") or ()), {})
        self._note(chunk, choice)
        events: list[Event] = []
        if not self._sequence:
            opened = self._response("in_progress")
            events += [{"type": f"response.{name}", "response": opened} for name in ("created", "in_progress")]
        events += self._output.delta(choice.get("delta") or {}, choice.get("logprobs"))
        return self._framed(events)

    def end(self) -> bytes:
        """End every item, and give the whole response, with the `glasnost` object in it."""
        events = self._output.close(self._status)
        events.append({"type": f"response.{self._status}", "response": self._response(self._status)})
        return self._framed(events)

    def fail(self, error: BaseException) -> bytes:
        """Give the failed response, then an error event: some clients look at the one, some at the other."""
        said = error_object(error)
        self._note(verdict_in(error), {})
        failed = {**self._response("failed"), "error": {"code": said["code"], "message": said["message"]}}
        shown = {name: said[name] for name in ("code", "message", "param")}
        return self._framed(
            [{"type": "response.failed", "response": failed}, {"type": "error", **shown, "error": said}]
        )

    @property
    def _status(self) -> str:
        return "incomplete" if self._finish_reason in _INCOMPLETE else "completed"

    def _note(self, said: Mapping[str, Any], choice: Mapping[str, Any]) -> None:
        self._model = said.get("model") or self._model
        self._usage = said.get("usage") or self._usage
        self._glasnost = said.get("glasnost") or self._glasnost
        self._finish_reason = choice.get("finish_reason") or self._finish_reason

    def _response(self, status: str) -> dict[str, Any]:
        over = status != "in_progress"
        reason = _INCOMPLETE.get(self._finish_reason or "") if status == "incomplete" else None
        body = {
            **self._base,
            "status": status,
            "model": self._model,
            "output": self._output.items if over else [],
            "usage": _usage(self._usage) if over else None,
            "incomplete_details": {"reason": reason} if reason else None,
        }
        return {**body, "glasnost": self._glasnost} if self._glasnost is not None else body

    def _framed(self, events: Sequence[Event]) -> bytes:
        frames = b""
        for event in events:
            frames += sse.encode(jsonio.dumps({**event, "sequence_number": self._sequence}), event["type"])
            self._sequence += 1
        return frames


def _usage(usage: Any) -> dict[str, Any] | None:
    if not isinstance(usage, dict):
        return None
    read = usage.get("prompt_tokens_details") or {}
    written = usage.get("completion_tokens_details") or {}
    return {
        "input_tokens": usage.get("prompt_tokens") or 0,
        "input_tokens_details": {
            "cached_tokens": read.get("cached_tokens") or 0,
            "cache_write_tokens": read.get("cache_write_tokens") or 0,
        },
        "output_tokens": usage.get("completion_tokens") or 0,
        "output_tokens_details": {"reasoning_tokens": written.get("reasoning_tokens") or 0},
        "total_tokens": usage.get("total_tokens") or 0,
    }


RESPONSES = Api(API, ResponsesDialect)
