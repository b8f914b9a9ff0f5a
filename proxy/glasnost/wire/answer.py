"""What a model said: every text-bearing field of one choice, read from a whole completion or joined from chunks.

This is the only place that knows which fields carry text; whatever is not read here is not audited, so a new
text field of the API is added here first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from glasnost.wire.conversation import text_of
from glasnost.wire.echo import beyond

Completion = dict[str, Any]
Chunk = dict[str, Any]

#: The order in which the fields of a choice are read by an auditor.
FIELDS = ("logprobs", "reasoning", "content", "refusal", "tool_arguments")


@dataclass(frozen=True, slots=True)
class Answer:
    """The text of one choice by field, and why it ended (None while it has not).

    `logprobs` holds what the log probabilities say beyond the other fields: nothing, in an honest answer.
    """

    content: str = ""
    reasoning: str = ""
    refusal: str = ""
    tool_arguments: str = ""
    logprobs: str = ""
    finish_reason: str | None = None

    @property
    def empty(self) -> bool:
        """True when no field holds anything but white space."""
        return not any(text.strip() for _, text in self.texts())

    def texts(self) -> tuple[tuple[str, str], ...]:
        """Give (field, text) pairs in reading order."""
        return tuple((field, getattr(self, field)) for field in FIELDS)


@dataclass(frozen=True, slots=True)
class Fragment:
    """A piece of text that one chunk adds to one field of one choice."""

    choice: int
    field: str
    text: str


def answers_of(completion: Mapping[str, Any]) -> tuple[Answer, ...]:
    """Read every choice of a whole completion, in the order they stand."""
    return tuple(_answer(choice) for choice in completion.get("choices") or () if isinstance(choice, dict))


def fragments_of(chunk: Mapping[str, Any]) -> list[Fragment]:
    """Read the text that a chunk adds, in order."""
    found: list[Fragment] = []
    for choice in chunk.get("choices") or ():
        index = choice.get("index") or 0
        found += [Fragment(index, field, text) for field, text in _message_texts(choice.get("delta") or {}) if text]
    return found


def finish_reasons_of(chunk: Mapping[str, Any]) -> dict[int, str]:
    """Give the choices that end in this chunk, with why."""
    choices = chunk.get("choices") or ()
    return {choice.get("index") or 0: choice["finish_reason"] for choice in choices if choice.get("finish_reason")}


def _answer(choice: Mapping[str, Any]) -> Answer:
    fields: dict[str, str] = {}
    message = choice.get("message")
    for field, text in _message_texts(message if isinstance(message, dict) else {}):
        fields[field] = fields.get(field, "") + text
    if choice.get("logprobs"):
        fields["logprobs"] = beyond(choice, "".join(fields.values()))
    return Answer(**fields, finish_reason=choice.get("finish_reason"))


def _message_texts(message: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    reasoning = message.get("reasoning_content")
    yield "reasoning", text_of(message.get("reasoning") if reasoning is None else reasoning)
    for detail in message.get("reasoning_details") or ():  # OpenRouter's list, beside or instead of `reasoning`
        if reasoning is None and message.get("reasoning") is None and isinstance(detail, dict):
            yield "reasoning", text_of(detail.get("text") or detail.get("summary"))
    yield "content", text_of(message.get("content"))
    yield "refusal", text_of(message.get("refusal"))
    for call in message.get("tool_calls") or ():
        yield "tool_arguments", _arguments(call.get("function")) + _arguments(call.get("custom"))
    yield "tool_arguments", _arguments(message.get("function_call"))
    audio = message.get("audio")
    if isinstance(audio, dict):
        yield "content", text_of(audio.get("transcript"))


def _arguments(function: Any) -> str:
    if not isinstance(function, dict):
        return ""
    value = function.get("arguments", function.get("input"))
    return value if isinstance(value, str) else ""
