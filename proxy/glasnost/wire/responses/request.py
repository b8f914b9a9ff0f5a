"""A Responses request as the chat request that it comes to.

What needs a server that remembers or works by itself (earlier responses, hosted tools) is refused, not ignored.
Fields that only describe the request are given back in the response; those that nobody knows reach the upstream.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from glasnost.errors import InvalidRequest
from glasnost.wire.chat import ChatRequest
from glasnost.wire.responses.items import messages_of

#: They name something that was to be kept from an earlier request, or work that goes on after this one.
_STATEFUL = ("previous_response_id", "conversation", "prompt", "background", "context_management")
#: They are read here, or say nothing to an upstream.
_OURS = frozenset(
    {
        *_STATEFUL,
        "include",
        "input",
        "instructions",
        "max_output_tokens",
        "max_tool_calls",
        "messages",
        "metadata",
        "n",
        "reasoning",
        "store",
        "stream_options",
        "text",
        "tool_choice",
        "tools",
        "top_logprobs",
        "truncation",
    }
)
API = "responses"
LOGPROBS = "message.output_text.logprobs"


def chat_request(body: Mapping[str, Any]) -> ChatRequest:
    """Give the chat request; an InvalidRequest names the field that is wrong or cannot be served."""
    for name in _STATEFUL:
        if body.get(name):
            raise InvalidRequest(
                f"`{name}` needs a server that keeps responses; send the whole conversation as `input`.",
                param=name,
                code="unsupported_parameter",
            )
    chat = {name: value for name, value in body.items() if name not in _OURS}
    chat["messages"] = [*_instructions(body.get("instructions")), *messages_of(body.get("input"))]
    if body.get("stream"):
        chat["stream_options"] = {"include_usage": True}
    for fields in (_limits(body), _tools(body), _format(body.get("text")), _effort(body.get("reasoning"))):
        chat.update(fields)
    return ChatRequest.parse(chat, api=API)


def _instructions(value: Any) -> list[dict[str, Any]]:
    if value is None:
        return []
    if not isinstance(value, str):
        raise InvalidRequest("`instructions` must be a string.", param="instructions")
    return [{"role": "system", "content": value}] if value else []


def _limits(body: Mapping[str, Any]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    if body.get("max_output_tokens") is not None:
        fields["max_completion_tokens"] = body["max_output_tokens"]
    top, include = body.get("top_logprobs"), body.get("include")
    if top or (isinstance(include, list) and LOGPROBS in include):
        fields |= {"logprobs": True, "top_logprobs": top or 0}
    return fields


def _format(text: Any) -> dict[str, Any]:
    if text is None:
        return {}
    fields = {"verbosity": text["verbosity"]} if _object(text, "text").get("verbosity") is not None else {}
    shape = _object(text.get("format") or {}, "text.format")
    kind = shape.get("type")
    if kind in (None, "text"):
        return fields
    if kind == "json_schema":
        schema = {name: value for name, value in shape.items() if name != "type"}
        return {**fields, "response_format": {"type": kind, "json_schema": schema}}
    return {**fields, "response_format": shape}


def _effort(reasoning: Any) -> dict[str, Any]:
    effort = None if reasoning is None else _object(reasoning, "reasoning").get("effort")
    return {} if effort is None else {"reasoning_effort": effort}


def _tools(body: Mapping[str, Any]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    tools = body.get("tools")
    if tools is not None:
        if not isinstance(tools, list):
            raise InvalidRequest("`tools` must be an array.", param="tools")
        if tools:
            fields["tools"] = [_tool(tool, f"tools[{index}]") for index, tool in enumerate(tools)]
    choice = body.get("tool_choice")
    if choice is not None:
        fields["tool_choice"] = choice if isinstance(choice, str) else _choice(_object(choice, "tool_choice"))
    return fields


def _tool(tool: Any, param: str) -> dict[str, Any]:
    fields = dict(_object(tool, param))
    kind = fields.pop("type", None)
    if kind == "function":
        return {"type": kind, "function": fields}
    if kind != "custom":
        raise InvalidRequest(
            f"`{param}` is a tool of type {kind!r}, which would have to run here; give a function.",
            param=f"{param}.type",
            code="unsupported_parameter",
        )
    shape = fields.get("format")
    if isinstance(shape, dict) and shape.get("type") == "grammar":
        grammar = {name: value for name, value in shape.items() if name != "type"}
        fields["format"] = {"type": "grammar", "grammar": grammar}
    return {"type": kind, "custom": fields}


def _choice(choice: Mapping[str, Any]) -> dict[str, Any]:
    kind = choice.get("type")
    if kind in ("function", "custom"):
        return {"type": kind, kind: {"name": choice.get("name")}}
    if kind == "allowed_tools" and isinstance(choice.get("tools"), list):
        tools = [_choice(_object(tool, "tool_choice.tools")) for tool in choice["tools"]]
        return {"type": kind, kind: {"mode": choice.get("mode"), "tools": tools}}
    raise InvalidRequest(f"`tool_choice` is of type {kind!r}, which cannot be served.", param="tool_choice")


def _object(value: Any, param: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise InvalidRequest(f"`{param}` must be an object.", param=param)
    return value
