"""Input items of a Responses request as the messages of a chat."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from glasnost.errors import InvalidRequest

_CALLS = {"function_call": "function", "custom_tool_call": "custom"}
_OUTPUTS = ("function_call_output", "custom_tool_call_output")


def messages_of(value: Any) -> list[dict[str, Any]]:
    """Read `input`, a string or an array of items; an InvalidRequest names the item that is wrong."""
    if isinstance(value, str):
        return [{"role": "user", "content": value}]
    if not isinstance(value, list) or not value:
        raise InvalidRequest("`input` must be a string or a non-empty array of items.", param="input")
    reader = _Reader()
    for index, item in enumerate(value):
        param = f"input[{index}]"
        if not isinstance(item, dict):
            raise InvalidRequest(f"`{param}` must be an object.", param=param)
        reader.read(item, param)
    return reader.messages


class _Reader:
    """Gathers what one answer of a model was: its reasoning, its text and its calls are one message of a chat."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self._reasoning = ""

    def read(self, item: Mapping[str, Any], param: str) -> None:
        kind = item.get("type", "message")
        if kind == "message":
            self._message(item, param)
        elif kind in _CALLS:
            self._call(item, _CALLS[kind], param)
        elif kind in _OUTPUTS:
            output = _content(item.get("output"), f"{param}.output")
            self.messages.append({"role": "tool", "tool_call_id": item.get("call_id"), "content": output})
        elif kind == "reasoning":
            parts = item.get("content") or ()
            self._reasoning += "".join(str(part.get("text") or "") for part in parts if isinstance(part, dict))
        else:
            raise InvalidRequest(f"`{param}` is of type {kind!r}, which cannot be served.", param=f"{param}.type")

    def _message(self, item: Mapping[str, Any], param: str) -> None:
        message = {"role": item.get("role"), "content": _content(item.get("content"), f"{param}.content")}
        if message["role"] == "assistant":
            message = {**message, "content": _joined(message["content"]), **self._thought()}
        self.messages.append(message)

    def _call(self, item: Mapping[str, Any], kind: str, param: str) -> None:
        text = item.get("arguments" if kind == "function" else "input")
        if not isinstance(text, str):
            raise InvalidRequest(f"The arguments of `{param}` must be a string.", param=param)
        said = {"name": item.get("name"), "arguments" if kind == "function" else "input": text}
        last = self.messages[-1] if self.messages else {}
        if last.get("role") != "assistant":
            last = {"role": "assistant", "content": None, **self._thought()}
            self.messages.append(last)
        last.setdefault("tool_calls", []).append({"id": item.get("call_id"), "type": kind, kind: said})

    def _thought(self) -> dict[str, str]:
        thought, self._reasoning = self._reasoning, ""
        return {"reasoning_content": thought} if thought else {}


def _content(value: Any, param: str) -> str | list[dict[str, Any]]:
    """Give the content of a message: a string where it is only one text, else its parts."""
    if isinstance(value, str):
        return value
    if not isinstance(value, list):
        raise InvalidRequest(f"`{param}` must be a string or an array of parts.", param=param)
    parts = [_part(part, f"{param}[{index}]") for index, part in enumerate(value)]
    return str(parts[0]["text"]) if len(parts) == 1 and parts[0]["type"] == "text" else parts


def _part(part: Any, param: str) -> dict[str, Any]:
    kind = part.get("type") if isinstance(part, dict) else None
    text = part.get("refusal" if kind == "refusal" else "text") if isinstance(part, dict) else None
    if kind in ("input_text", "output_text", "refusal", "text") and isinstance(text, str):
        return {"type": "text", "text": text}
    if kind == "input_image" and isinstance(part.get("image_url"), str):
        detail = {"detail": part["detail"]} if part.get("detail") else {}
        return {"type": "image_url", "image_url": {"url": part["image_url"], **detail}}
    if kind == "input_file" and isinstance(part.get("file_data"), str):
        return {"type": "file", "file": {name: part[name] for name in ("file_data", "filename") if name in part}}
    if kind == "input_audio" and isinstance(part.get("input_audio"), dict):
        return {"type": kind, kind: part[kind]}
    raise InvalidRequest(f"`{param}` is a part of type {kind!r} that cannot be served.", param=param)


def _joined(content: Any) -> str:
    return content if isinstance(content, str) else "".join(str(part.get("text") or "") for part in content)
