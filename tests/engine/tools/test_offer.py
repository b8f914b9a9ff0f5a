"""Tools and their choice, read out of a request."""

from __future__ import annotations

import pytest

from glasnost.engine.tools.format import MAX_CALLS
from glasnost.engine.tools.offer import parse_offer
from glasnost.errors import InvalidRequest


def tool(name="weather", **function):
    return {"type": "function", "function": {"name": name, **function}}


def named(name):
    return {"type": "function", "function": {"name": name}}


def allowed(mode, *names):
    return {"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": [named(name) for name in names]}}


TWO = [tool("weather"), tool("time")]


@pytest.mark.parametrize(
    ("body", "callable_names", "required", "most"),
    [
        ({}, {"weather", "time"}, False, MAX_CALLS),
        ({"tool_choice": "auto"}, {"weather", "time"}, False, MAX_CALLS),
        ({"tool_choice": "required"}, {"weather", "time"}, True, MAX_CALLS),
        ({"tool_choice": "required", "parallel_tool_calls": False}, {"weather", "time"}, True, 1),
        ({"tool_choice": named("time")}, {"time"}, True, 1),
        ({"tool_choice": allowed("auto", "time")}, {"time"}, False, MAX_CALLS),
        ({"tool_choice": allowed("required", "time", "weather")}, {"weather", "time"}, True, MAX_CALLS),
    ],
)
def test_a_choice_says_what_may_and_what_must_be_called(body, callable_names, required, most):
    offer = parse_offer({"tools": TWO, **body})
    assert (offer.names, offer.required, offer.most) == (callable_names, required, most)
    assert [each.name for each in offer.tools] == ["weather", "time"]


@pytest.mark.parametrize(
    "body", [{}, {"tools": []}, {"tools": None}, {"tools": TWO, "tool_choice": "none"}, {"tool_choice": "auto"}]
)
def test_nothing_to_call_is_no_offer(body):
    assert parse_offer(body) is None


def test_a_tool_without_parameters_takes_none():
    [only] = parse_offer({"tools": [tool(description=None)]}).tools
    assert only.parameters == {"type": "object", "properties": {}, "additionalProperties": False}
    assert only.body == tool(parameters=only.parameters)


def test_a_tool_is_told_as_it_came():
    schema = {"properties": {"city": {"type": "string"}}}
    came = tool(description="It rains.", strict=True, parameters=schema)
    [only] = parse_offer({"tools": [came]}).tools
    assert only.body == came
    assert only.parameters == {"type": "object", **schema}


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"tools": "weather"}, "tools"),
        ({"tools": [tool(f"t{number}") for number in range(129)]}, "tools"),
        ({"tools": ["weather"]}, "tools[0].type"),
        ({"tools": [{"type": "custom", "custom": {"name": "x"}}]}, "tools[0].type"),
        ({"tools": [{"type": "function"}]}, "tools[0].function"),
        ({"tools": [tool(), tool("two words")]}, "tools[1].function.name"),
        ({"tools": [tool("x" * 65)]}, "tools[0].function.name"),
        ({"tools": [tool(5)]}, "tools[0].function.name"),
        ({"tools": [tool("a\n")]}, "tools[0].function.name"),
        ({"tools": [tool("a"), tool("b"), tool("c"), tool("a")]}, "tools[3].function.name"),
        ({"tools": [tool(description=5)]}, "tools[0].function.description"),
        ({"tools": [tool(parameters=[])]}, "tools[0].function.parameters"),
        ({"tools": [tool(parameters={"type": "string"})]}, "tools[0].function.parameters"),
        ({"tools": TWO, "tool_choice": "any"}, "tool_choice"),
        ({"tools": TWO, "tool_choice": ["auto"]}, "tool_choice"),
        ({"tools": TWO, "tool_choice": {"type": "function"}}, "tool_choice"),
        ({"tools": TWO, "tool_choice": named("rm")}, "tool_choice.function.name"),
        ({"tools": TWO, "tool_choice": {"type": "allowed_tools"}}, "tool_choice.allowed_tools"),
        ({"tools": TWO, "tool_choice": allowed("some", "time")}, "tool_choice.allowed_tools.mode"),
        ({"tools": TWO, "tool_choice": allowed("auto")}, "tool_choice.allowed_tools.tools"),
        ({"tools": TWO, "tool_choice": allowed("auto", "rm")}, "tool_choice.allowed_tools.tools[0].function.name"),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"tool_choice": named("time")}, "tool_choice"),
        ({"tools": TWO, "parallel_tool_calls": "no"}, "parallel_tool_calls"),
    ],
)
def test_what_is_wrong_is_named(body, param):
    with pytest.raises(InvalidRequest) as refused:
        parse_offer(body)
    assert refused.value.param == param
