"""Checks what an upstream sent before anything reads it: text in a shape that no auditor knows is refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from glasnost.errors import UpstreamError, UpstreamUnavailable
from glasnost.wire.answer import Chunk, Completion, finish_reasons_of

_TEXTS = ("content", "reasoning", "reasoning_content", "refusal")


class StreamShape:
    """Follows one stream: which choices it opened, which of them ended, and whether anything was said."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._open: set[int] = set()
        self._ended: set[int] = set()
        self.said = False

    def check(self, chunk: Chunk) -> None:
        """Take the next chunk; one of an unknown shape raises UpstreamError."""
        for choice in _choices(chunk, self._name, required=False):
            delta = choice.get("delta")
            _check_message({} if delta is None else delta, self._name)
            index = choice.get("index") or 0
            self._open.add(index)
            self.said = self.said or _says(choice)
        self._ended.update(finish_reasons_of(chunk))

    def finish(self) -> None:
        """Take the end; a choice without a finish reason raises UpstreamUnavailable."""
        if not self._ended or self._open - self._ended:
            raise UpstreamUnavailable(f"The upstream {self._name!r} cut its answer off.", retry_after=1)


def check_completion(completion: Completion, name: str) -> None:
    """Check an answer in one piece; one of an unknown shape raises UpstreamError."""
    choices = _choices(completion, name, required=True)
    if not choices:
        raise _unknown(name, "`choices` is empty")
    for choice in choices:
        _check_message(choice.get("message"), name)


def _says(choice: Mapping[str, Any]) -> bool:
    delta = choice.get("delta") or {}
    return bool(choice.get("finish_reason")) or any(value for key, value in delta.items() if key != "role")


def _choices(value: Mapping[str, Any], name: str, *, required: bool) -> list[dict[str, Any]]:
    choices = value.get("choices")
    if choices is None and not required:
        return []
    if not isinstance(choices, list) or not all(isinstance(choice, dict) for choice in choices):
        raise _unknown(name, "`choices` is not an array of objects")
    for choice in choices:
        index = choice.get("index")
        if not (index is None or (isinstance(index, int) and not isinstance(index, bool) and index >= 0)):
            raise _unknown(name, "`choices[].index` is not a number")
        if not isinstance(choice.get("finish_reason"), str | None):
            raise _unknown(name, "`choices[].finish_reason` is not a string")
        if isinstance(choice.get("text"), str):
            raise _unknown(name, "`choices[].text` is no part of a chat completion")
    return choices


def _check_message(message: Any, name: str) -> None:
    if not isinstance(message, dict):
        raise _unknown(name, "a message is not an object")
    for field in _TEXTS:
        value = message.get(field)
        if not (isinstance(value, str | None) or _is_parts(value)):
            raise _unknown(name, f"`{field}` is neither a string nor an array of text parts")
    calls = message.get("tool_calls")
    if calls is not None and not (isinstance(calls, list) and all(isinstance(call, dict) for call in calls)):
        raise _unknown(name, "`tool_calls` is not an array of objects")
    for call in [*(calls or ()), message]:
        for key in ("function", "custom", "function_call"):
            _check_call(call.get(key), name)


def _check_call(call: Any, name: str) -> None:
    if call is None:
        return
    if not isinstance(call, dict):
        raise _unknown(name, "a tool call is not an object")
    if not all(isinstance(call.get(key), str | None) for key in ("arguments", "input")):
        raise _unknown(name, "the arguments of a tool call are not a string")


def _is_parts(value: Any) -> bool:
    if not isinstance(value, list):
        return False
    return all(
        isinstance(part, dict) and any(isinstance(part.get(key), str) for key in ("text", "refusal")) for part in value
    )


def _unknown(name: str, why: str) -> UpstreamError:
    return UpstreamError(f"The upstream {name!r} sent something that is no chat completion: {why}.")
