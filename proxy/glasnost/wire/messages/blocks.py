"""The messages of Anthropic's API, made of blocks, as the messages of a chat."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from glasnost.errors import InvalidRequest
from glasnost.wire import jsonio

_IGNORED = frozenset({"redacted_thinking"})  # nobody but its maker can read it


def system_of(value: Any) -> list[dict[str, Any]]:
    """Read `system`, a string or an array of text blocks."""
    if not value:
        return []
    if isinstance(value, str):
        return [{"role": "system", "content": value}]
    return [{"role": "system", "content": _text(value, "system")}]


def messages_of(value: Any) -> list[dict[str, Any]]:
    """Read `messages`; an InvalidRequest names the block that is wrong."""
    if not isinstance(value, list) or not value:
        raise InvalidRequest("`messages` must be a non-empty array.", param="messages")
    found: list[dict[str, Any]] = []
    for index, message in enumerate(value):
        param = f"messages[{index}]"
        role = message.get("role") if isinstance(message, dict) else None
        if role not in ("user", "assistant", "system"):
            raise InvalidRequest(f"`{param}.role` must be user or assistant.", param=f"{param}.role")
        blocks = _blocks(message.get("content"), f"{param}.content")
        found += [_assistant(blocks, param)] if role == "assistant" else _user(role, blocks, param)
    return found


def _user(role: str, blocks: list[Mapping[str, Any]], param: str) -> list[dict[str, Any]]:
    """Give the results of tools, which a chat holds as messages of their own, then what the user says."""
    results: list[dict[str, Any]] = []
    parts: list[dict[str, Any]] = []
    for index, block in enumerate(blocks):
        place = f"{param}.content[{index}]"
        if block.get("type") == "tool_result":
            text = _text(block.get("content") or "", f"{place}.content")
            results.append({"role": "tool", "tool_call_id": block.get("tool_use_id"), "content": text})
        else:
            parts.append(_part(block, place))
    if len(parts) == 1 and parts[0]["type"] == "text":
        return [*results, {"role": role, "content": parts[0]["text"]}]
    return [*results, {"role": role, "content": parts}] if parts else results


def _assistant(blocks: list[Mapping[str, Any]], param: str) -> dict[str, Any]:
    said = {"text": "", "thinking": ""}
    calls: list[dict[str, Any]] = []
    for index, block in enumerate(blocks):
        kind = block.get("type")
        if kind in said and isinstance(block.get(kind), str):
            said[kind] += block[kind]
        elif kind == "tool_use":
            arguments = jsonio.dumps(block.get("input") or {}).decode()
            function = {"name": block.get("name"), "arguments": arguments}
            calls.append({"id": block.get("id"), "type": "function", "function": function})
        elif kind not in _IGNORED:
            raise _unknown(kind, f"{param}.content[{index}]")
    message: dict[str, Any] = {"role": "assistant", "content": said["text"] or None}
    if said["thinking"]:
        message["reasoning_content"] = said["thinking"]
    return {**message, "tool_calls": calls} if calls else message


def _part(block: Mapping[str, Any], param: str) -> dict[str, Any]:
    kind, source = block.get("type"), block.get("source")
    if kind == "text" and isinstance(block.get("text"), str):
        return {"type": "text", "text": block["text"]}
    if kind == "image" and isinstance(source, dict):
        if source.get("type") == "base64":
            return _image(f"data:{source.get('media_type')};base64,{source.get('data')}")
        if source.get("type") == "url" and isinstance(source.get("url"), str):
            return _image(source["url"])
    if kind == "document" and isinstance(source, dict) and source.get("type") == "text":
        return {"type": "text", "text": str(source.get("data"))}
    raise _unknown(kind, param)


def _image(url: str) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url}}


def _text(content: Any, param: str) -> str:
    parts = [_part(block, f"{param}[{index}]") for index, block in enumerate(_blocks(content, param))]
    for index, part in enumerate(parts):
        if part["type"] != "text":
            raise _unknown(part["type"], f"{param}[{index}]")
    return "\n".join(part["text"] for part in parts)


def _blocks(content: Any, param: str) -> list[Mapping[str, Any]]:
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    if not isinstance(content, list) or not all(isinstance(block, dict) for block in content):
        raise InvalidRequest(f"`{param}` must be a string or an array of blocks.", param=param)
    return content


def _unknown(kind: Any, param: str) -> InvalidRequest:
    return InvalidRequest(f"`{param}` is a block of type {kind!r} that cannot be served.", param=param)
