"""The content blocks of an answer, built from deltas; every step gives the events that a stream tells of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from glasnost.errors import InvalidRequest
from glasnost.wire import jsonio
from glasnost.wire.conversation import text_of

Event = dict[str, Any]
_DELTAS = {"thinking": "thinking_delta", "text": "text_delta"}


class Blocks:
    """Feed it the deltas of one answer; `content()` gives its blocks."""

    def __init__(self, id: str) -> None:  # noqa: A002
        self._id = id
        self._blocks: list[dict[str, Any]] = []
        self._arguments: dict[int, str] = {}
        self._calls: dict[int, int] = {}
        self._speaking: int | None = None

    def delta(self, delta: Mapping[str, Any]) -> list[Event]:
        """Take a delta of a chat, or a whole message."""
        reasoning = delta.get("reasoning_content")
        events = self._text("thinking", text_of(delta.get("reasoning") if reasoning is None else reasoning))
        events += self._text("text", text_of(delta.get("content")))
        events += self._text("text", text_of(delta.get("refusal")))
        for place, call in enumerate(delta.get("tool_calls") or ()):
            index = call.get("index")
            events += self._call(place if index is None else index, call)
        return events

    def close(self) -> list[Event]:
        """End the blocks that are being written."""
        return self._end_speaking() + [_stop(place) for place in self._calls.values()]

    def content(self) -> list[dict[str, Any]]:
        """Give the blocks, each call with its input as the object that it is."""
        inputs = {place: _input(text) for place, text in self._arguments.items()}
        return [
            {**block, "input": inputs[place]} if place in inputs else block for place, block in enumerate(self._blocks)
        ]

    def _text(self, kind: str, text: str) -> list[Event]:
        if not text:
            return []
        events: list[Event] = []
        if self._speaking is None or self._blocks[self._speaking]["type"] != kind:
            events += self._end_speaking()
            block: dict[str, Any] = {"type": kind, kind: "", **({"signature": ""} if kind == "thinking" else {})}
            self._speaking, start = self._start(block)
            events.append(start)
        self._blocks[self._speaking][kind] += text
        return [*events, _delta(self._speaking, {"type": _DELTAS[kind], kind: text})]

    def _call(self, index: int, call: Mapping[str, Any]) -> list[Event]:
        function = call.get("function") or {}
        events: list[Event] = []
        if index not in self._calls:
            events += self._end_speaking()
            name = function.get("name") or ""
            call_id = call.get("id") or f"toolu_{self._id}_{index}"
            self._calls[index], start = self._start({"type": "tool_use", "id": call_id, "name": name, "input": {}})
            self._arguments[self._calls[index]] = ""
            events.append(start)
        place = self._calls[index]
        text = function.get("arguments") or ""
        if text:
            self._arguments[place] += text
            events.append(_delta(place, {"type": "input_json_delta", "partial_json": text}))
        return events

    def _start(self, block: dict[str, Any]) -> tuple[int, Event]:
        self._blocks.append(block)
        place = len(self._blocks) - 1
        return place, {"type": "content_block_start", "index": place, "content_block": dict(block)}

    def _end_speaking(self) -> list[Event]:
        place, self._speaking = self._speaking, None
        return [] if place is None else [_stop(place)]


def _delta(place: int, delta: dict[str, Any]) -> Event:
    return {"type": "content_block_delta", "index": place, "delta": delta}


def _stop(place: int) -> Event:
    return {"type": "content_block_stop", "index": place}


def _input(text: str) -> Any:
    """Give the arguments as a value; a model that was cut off leaves half of them, which are no JSON."""
    try:
        return jsonio.loads(text.encode()) if text else {}
    except InvalidRequest:
        return {"_unfinished": text}
