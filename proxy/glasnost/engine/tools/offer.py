"""The tools that a request offers, and which of them the answer may or must call."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from glasnost.engine.tools.format import MAX_CALLS
from glasnost.errors import InvalidRequest

MAX_TOOLS = 128

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_EMPTY = {"type": "object", "properties": {}, "additionalProperties": False}
_CHOICES = 'must be "none", "auto", "required" or an object that names a function'


@dataclass(frozen=True, slots=True)
class Tool:
    """A function: the schema of its arguments, where the schema stands in the request, and all of it as it came."""

    name: str
    parameters: Mapping[str, Any]
    param: str
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Offer:
    """Every tool that the model is told of, and those that it may call: at most `most` times, once if `required`."""

    tools: tuple[Tool, ...]
    callable: tuple[Tool, ...]
    required: bool
    most: int

    @property
    def names(self) -> frozenset[str]:
        """The names that open a call."""
        return frozenset(tool.name for tool in self.callable)


def parse_offer(body: Mapping[str, Any]) -> Offer | None:
    """Read `tools`, `tool_choice` and `parallel_tool_calls`; None when nothing can be called.

    InvalidRequest names what is wrong.
    """
    tools = _tools(body.get("tools"))
    parallel = body.get("parallel_tool_calls")
    if parallel is not None and not isinstance(parallel, bool):
        raise _wrong("parallel_tool_calls", "must be true or false")
    choice = body.get("tool_choice") or "auto"
    most = 1 if parallel is False else MAX_CALLS
    if choice == "none" or (choice == "auto" and not tools):
        return None
    if not tools:
        raise _wrong("tool_choice", "needs `tools` to choose from")
    if choice in ("auto", "required"):
        return Offer(tools, tools, choice == "required", most)
    if not isinstance(choice, dict):
        raise _wrong("tool_choice", _CHOICES)
    if choice.get("type") == "allowed_tools":
        return _allowed(choice.get("allowed_tools"), tools, most)
    return Offer(tools, (_named(choice, tools, "tool_choice"),), required=True, most=1)


def _tools(value: Any) -> tuple[Tool, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or len(value) > MAX_TOOLS:
        raise _wrong("tools", f"must be an array of at most {MAX_TOOLS} tools")
    tools = tuple(_tool(each, f"tools[{index}]") for index, each in enumerate(value))
    seen: set[str] = set()
    for tool in tools:
        if tool.name in seen:
            raise _wrong(f"{tool.param.rpartition('.')[0]}.name", f"is {tool.name!r} for the second time")
        seen.add(tool.name)
    return tools


def _tool(value: Any, param: str) -> Tool:
    if not isinstance(value, dict) or value.get("type") != "function":
        raise _wrong(f"{param}.type", 'must be "function", the only type of this engine')
    function, param = value.get("function"), f"{param}.function"
    if not isinstance(function, dict):
        raise _wrong(param, "must be an object")
    name, description, parameters = (function.get(key) for key in ("name", "description", "parameters"))
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise _wrong(f"{param}.name", "must be 1 to 64 letters, digits, `_` or `-`")
    if description is not None and not isinstance(description, str):
        raise _wrong(f"{param}.description", "must be a string")
    if parameters is None:
        parameters = _EMPTY
    if not isinstance(parameters, dict) or parameters.get("type", "object") != "object":
        raise _wrong(f"{param}.parameters", 'must be a JSON schema of `"type": "object"`')
    told = {key: each for key, each in function.items() if each is not None} | {"parameters": parameters}
    return Tool(name, {**parameters, "type": "object"}, f"{param}.parameters", {**value, "function": told})


def _allowed(value: Any, tools: tuple[Tool, ...], most: int) -> Offer:
    param = "tool_choice.allowed_tools"
    if not isinstance(value, dict):
        raise _wrong(param, "must be an object with `mode` and `tools`")
    mode, names = value.get("mode"), value.get("tools")
    if mode not in ("auto", "required"):
        raise _wrong(f"{param}.mode", 'must be "auto" or "required"')
    if not isinstance(names, list) or not names:
        raise _wrong(f"{param}.tools", "must be an array that names at least one function")
    chosen = [_named(each, tools, f"{param}.tools[{index}]") for index, each in enumerate(names)]
    return Offer(tools, tuple(tool for tool in tools if tool in chosen), mode == "required", most)


def _named(value: Any, tools: tuple[Tool, ...], param: str) -> Tool:
    function = value.get("function") if isinstance(value, dict) else None
    if not isinstance(function, dict) or value.get("type") != "function":
        raise _wrong(param, 'must be {"type": "function", "function": {"name": ...}}')
    for tool in tools:
        if tool.name == function.get("name"):
            return tool
    raise _wrong(f"{param}.function.name", "must be the name of one of `tools`")


def _wrong(param: str, problem: str) -> InvalidRequest:
    return InvalidRequest(f"`{param}` {problem}.", param=param)
