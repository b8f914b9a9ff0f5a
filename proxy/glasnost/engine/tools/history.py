"""Calls and results of earlier turns, checked, and as a chat template takes them or as text."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from glasnost.engine.tools.format import Format
from glasnost.errors import InvalidRequest
from glasnost.wire.conversation import text_of

Message = Mapping[str, Any]

_SHORT_ID = re.compile(r"[A-Za-z0-9]{9}")


@dataclass(frozen=True, slots=True)
class Taking:
    """How a template takes calls: arguments as objects or as JSON text, and a missing content as None or as empty.

    `short_ids` are of nine letters and digits, which Mistral's templates insist on.
    """

    objects: bool
    content: str | None
    short_ids: bool


def checked(messages: Sequence[Message]) -> list[Message]:
    """Give the messages, without empty lists of calls; an InvalidRequest names what a call lacks."""
    for index, message in enumerate(messages):
        for number, call in enumerate(message.get("tool_calls") or ()):
            _check(call, f"messages[{index}].tool_calls[{number}]")
    return [
        message if message.get("tool_calls") else {key: each for key, each in message.items() if key != "tool_calls"}
        for message in messages
    ]


def native(messages: Iterable[Message], taking: Taking) -> list[Message]:
    """Give the messages with calls and results in the way that the template takes them."""
    return [_native(message, taking) for message in messages]


def told(messages: Iterable[Message], form: Format) -> list[Message]:
    """Give the messages with calls and results as text, for a template that knows neither.

    Results come in the user's name, and in one message with what follows in that name: templates want turns.
    """
    found: list[Message] = []
    open_results = False
    for message in messages:
        result = message["role"] in ("tool", "function")
        current = _told(message, form)
        if open_results and current["role"] == "user":
            content = f"{found[-1]['content']}\n{text_of(current.get('content'))}"
            found[-1] = {"role": "user", "content": content}
        else:
            found.append(current)
        open_results = result or (open_results and current["role"] == "user")
    return found


def _check(call: Any, param: str) -> None:
    function = call.get("function") if isinstance(call, dict) else None
    if not isinstance(function, dict):
        raise InvalidRequest(f"`{param}.function` must be an object.", param=f"{param}.function")
    for field in ("name", "arguments"):
        if not isinstance(function.get(field), str):
            raise InvalidRequest(f"`{param}.function.{field}` must be a string.", param=f"{param}.function.{field}")


def _native(message: Message, taking: Taking) -> Message:
    changed = dict(message)
    if message.get("tool_calls"):
        changed["tool_calls"] = [_call(call, taking) for call in message["tool_calls"]]
        changed["content"] = text_of(message.get("content")) or taking.content
    if taking.short_ids and isinstance(message.get("tool_call_id"), str):
        changed["tool_call_id"] = _short(message["tool_call_id"])
    return changed


def _call(call: Message, taking: Taking) -> Message:
    arguments = call["function"]["arguments"]
    function = {"name": call["function"]["name"], "arguments": _object(arguments) if taking.objects else arguments}
    name = str(call.get("id") or "")
    return {"id": _short(name) if taking.short_ids else name, "type": "function", "function": function}


def _object(arguments: str) -> Any:
    try:
        return json.loads(arguments)
    except (ValueError, RecursionError):
        return arguments


def _short(name: str) -> str:
    return name if _SHORT_ID.fullmatch(name) else hashlib.sha256(name.encode()).hexdigest()[:9]


def _told(message: Message, form: Format) -> Message:
    if message["role"] in ("tool", "function"):
        return {"role": "user", "content": f"<tool_response>\n{text_of(message.get('content'))}\n</tool_response>"}
    calls = message.get("tool_calls")
    if not calls:
        return message
    texts = [text_of(message.get("content"))]
    texts += [form.written(call["function"]["name"], call["function"]["arguments"]) for call in calls]
    return {"role": message["role"], "content": "\n".join(text for text in texts if text)}
