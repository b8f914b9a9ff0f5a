"""The output items of a response, built from deltas; every step gives the events that a stream tells of it.

A whole answer is one delta, so that both ways end in the same items.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from glasnost.wire.conversation import text_of

Event = dict[str, Any]

#: For each kind of part: its item, the field of its text, and the name of its events.
_PARTS = {
    "reasoning_text": ("reasoning", "text", "response.reasoning_text"),
    "output_text": ("message", "text", "response.output_text"),
    "refusal": ("message", "refusal", "response.refusal"),
}
#: For each kind of call: its item, the field of its text, and the name of its events.
_CALLS = {
    "function": ("function_call", "arguments", "response.function_call_arguments"),
    "custom": ("custom_tool_call", "input", "response.custom_tool_call_input"),
}


class Output:
    """Feed it the deltas of one answer; `items` is the output so far."""

    def __init__(self, id: str) -> None:  # noqa: A002
        self.items: list[dict[str, Any]] = []
        self._id = id
        self._speaking: int | None = None
        self._calls: dict[int, int] = {}

    def delta(self, delta: Mapping[str, Any], logprobs: Any = None) -> list[Event]:
        """Take a delta of a chat, or a whole message."""
        events: list[Event] = []
        reasoning = delta.get("reasoning_content")
        events += self._text("reasoning_text", text_of(delta.get("reasoning") if reasoning is None else reasoning))
        events += self._text("output_text", text_of(delta.get("content")), _logprobs(logprobs))
        events += self._text("refusal", text_of(delta.get("refusal")))
        for place, call in enumerate(delta.get("tool_calls") or ()):
            index = call.get("index")
            events += self._call(place if index is None else index, call)
        return events

    def close(self, status: str) -> list[Event]:
        """End every item; one that was still being written gets `status`. Nothing said at all is an empty message."""
        events: list[Event] = []
        if not self.items:
            events += self._open_part("output_text")
        events += self._end_speaking(status)
        for place in self._calls.values():
            events += self._end_call(place, status)
        return events

    def _text(self, kind: str, text: str, logprobs: Iterable[Any] = ()) -> list[Event]:
        if not text:
            return []
        events = self._open_part(kind)
        item = self.items[-1 if self._speaking is None else self._speaking]
        part = item["content"][-1]
        _, field, name = _PARTS[kind]
        part[field] += text
        extra: dict[str, Any] = {}
        if kind == "output_text":
            part["logprobs"] += logprobs
            extra = {"logprobs": list(logprobs)}
        return [*events, {"type": f"{name}.delta", **self._place(), "delta": text, **extra}]

    def _open_part(self, kind: str) -> list[Event]:
        """Begin the item or the part that text of this kind belongs to, unless it is the one that is being written."""
        events: list[Event] = []
        owner = _PARTS[kind][0]
        item = None if self._speaking is None else self.items[self._speaking]
        if item is None or item["type"] != owner:
            events += self._end_speaking("completed")
            self._speaking = len(self.items)
            item = self._new_item(owner)
            self.items.append(item)
            events.append({"type": "response.output_item.added", "output_index": self._speaking, "item": _copy(item)})
        elif item["content"] and item["content"][-1]["type"] != kind:
            events += self._end_part()
        elif item["content"]:
            return []
        item["content"].append(_new_part(kind))
        return [*events, {"type": "response.content_part.added", **self._place(), "part": _new_part(kind)}]

    def _end_part(self) -> list[Event]:
        item = self.items[-1 if self._speaking is None else self._speaking]
        part = item["content"][-1]
        _, field, name = _PARTS[part["type"]]
        extra = {"logprobs": part["logprobs"]} if part["type"] == "output_text" else {}
        return [
            {"type": f"{name}.done", **self._place(), field: part[field], **extra},
            {"type": "response.content_part.done", **self._place(), "part": part},
        ]

    def _end_speaking(self, status: str) -> list[Event]:
        if self._speaking is None:
            return []
        events = self._end_part()
        item = self.items[self._speaking]
        item["status"] = status
        done = {"type": "response.output_item.done", "output_index": self._speaking, "item": item}
        self._speaking = None
        return [*events, done]

    def _call(self, index: int, call: Mapping[str, Any]) -> list[Event]:
        kind = "custom" if isinstance(call.get("custom"), dict) else "function"
        said = call.get(kind) or {}
        owner, field, name = _CALLS[kind]
        events: list[Event] = []
        if index not in self._calls:
            events += self._end_speaking("completed")
            place = self._calls[index] = len(self.items)
            item = {**self._new_item(owner), "call_id": call.get("id") or f"call_{self._id}_{index}"}
            self.items.append({**item, "name": said.get("name") or "", field: ""})
            events.append(
                {"type": "response.output_item.added", "output_index": place, "item": dict(self.items[place])}
            )
        place = self._calls[index]
        text = said.get(field) or ""
        if text:
            self.items[place][field] += text
            events.append({"type": f"{name}.delta", **self._call_place(place), "delta": text})
        return events

    def _end_call(self, place: int, status: str) -> list[Event]:
        item = self.items[place]
        _, field, name = next(each for each in _CALLS.values() if each[0] == item["type"])
        item["status"] = status
        done = {"type": f"{name}.done", **self._call_place(place), field: item[field], "name": item["name"]}
        return [done, {"type": "response.output_item.done", "output_index": place, "item": item}]

    def _new_item(self, kind: str) -> dict[str, Any]:
        prefix = {"reasoning": "rs", "message": "msg", "function_call": "fc", "custom_tool_call": "ctc"}[kind]
        item = {"id": f"{prefix}_{self._id}_{len(self.items)}", "type": kind, "status": "in_progress"}
        if kind == "message":
            return {**item, "role": "assistant", "content": []}
        return {**item, "summary": [], "content": []} if kind == "reasoning" else item

    def _place(self) -> dict[str, Any]:
        place = len(self.items) - 1 if self._speaking is None else self._speaking
        item = self.items[place]
        return {"item_id": item["id"], "output_index": place, "content_index": len(item["content"]) - 1}

    def _call_place(self, place: int) -> dict[str, Any]:
        return {"item_id": self.items[place]["id"], "output_index": place}


def _new_part(kind: str) -> dict[str, Any]:
    part = {"type": kind, _PARTS[kind][1]: ""}
    return {**part, "annotations": [], "logprobs": []} if kind == "output_text" else part


def _copy(item: dict[str, Any]) -> dict[str, Any]:
    return {**item, "content": []}


def _logprobs(value: Any) -> list[Any]:
    content = value.get("content") if isinstance(value, dict) else None
    return content if isinstance(content, list) else []
