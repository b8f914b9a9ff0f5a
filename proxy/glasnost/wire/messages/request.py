"""A Messages request as the chat request that it comes to; what nobody here could do or audit is refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from glasnost.errors import InvalidRequest
from glasnost.wire.chat import ChatRequest
from glasnost.wire.messages.blocks import messages_of, system_of

API = "messages"
#: Fields that mean the same in a chat, by their names here and there.
_SAME = {
    "model": "model",
    "stream": "stream",
    "temperature": "temperature",
    "top_p": "top_p",
    "top_k": "top_k",
    "max_tokens": "max_completion_tokens",
    "stop_sequences": "stop",
}
_UNSUPPORTED = ("container", "mcp_servers")
_CHOICES = {"auto": "auto", "any": "required", "none": "none"}
#: Up to so many tokens of thinking are this effort.
_EFFORTS = ((2_048, "low"), (16_384, "medium"))


def chat_request(body: Mapping[str, Any]) -> ChatRequest:
    """Give the chat request; an InvalidRequest names the field that is wrong or cannot be served."""
    for name in _UNSUPPORTED:
        if body.get(name):
            raise InvalidRequest(f"`{name}` cannot be served; leave it out.", param=name, code="unsupported_parameter")
    chat = {there: body[here] for here, there in _SAME.items() if body.get(here) is not None}
    chat["messages"] = [*system_of(body.get("system")), *messages_of(body.get("messages"))]
    if chat.get("stream"):
        chat["stream_options"] = {"include_usage": True}
    user = (body.get("metadata") or {}).get("user_id") if isinstance(body.get("metadata"), dict) else None
    if isinstance(user, str):
        chat["user"] = user
    chat |= {**_tools(body.get("tools")), **_choice(body.get("tool_choice")), **_effort(body)}
    return ChatRequest.parse(chat, api=API)


def _tools(tools: Any) -> dict[str, Any]:
    if not tools:
        return {}
    if not isinstance(tools, list):
        raise InvalidRequest("`tools` must be an array.", param="tools")
    return {"tools": [_tool(tool, f"tools[{index}]") for index, tool in enumerate(tools)]}


def _tool(tool: Any, param: str) -> dict[str, Any]:
    if not isinstance(tool, dict):
        raise InvalidRequest(f"`{param}` must be an object.", param=param)
    if tool.get("type") not in (None, "custom"):
        raise InvalidRequest(
            f"`{param}` is a tool of type {tool['type']!r}, which would have to run here; give one of your own.",
            param=f"{param}.type",
            code="unsupported_parameter",
        )
    function = {name: tool[name] for name in ("name", "description") if tool.get(name) is not None}
    return {"type": "function", "function": {**function, "parameters": tool.get("input_schema") or {"type": "object"}}}


def _choice(choice: Any) -> dict[str, Any]:
    if choice is None:
        return {}
    kind = choice.get("type") if isinstance(choice, dict) else None
    if kind in _CHOICES:
        fields: dict[str, Any] = {"tool_choice": _CHOICES[kind]}
    elif kind == "tool":
        fields = {"tool_choice": {"type": "function", "function": {"name": choice.get("name")}}}
    else:
        raise InvalidRequest("`tool_choice.type` must be auto, any, none or tool.", param="tool_choice")
    return {**fields, "parallel_tool_calls": False} if choice.get("disable_parallel_tool_use") else fields


def _effort(body: Mapping[str, Any]) -> dict[str, Any]:
    """Give the effort where thinking was asked for; a budget of tokens is one of three."""
    output, thinking = body.get("output_config"), body.get("thinking")
    if isinstance(output, dict) and isinstance(output.get("effort"), str):
        return {"reasoning_effort": output["effort"]}
    if not isinstance(thinking, dict) or thinking.get("type") != "enabled":
        return {}
    budget = thinking.get("budget_tokens")
    if not isinstance(budget, int) or isinstance(budget, bool):
        raise InvalidRequest("`thinking.budget_tokens` must be a whole number.", param="thinking.budget_tokens")
    return {"reasoning_effort": next((effort for most, effort in _EFFORTS if budget <= most), "high")}
