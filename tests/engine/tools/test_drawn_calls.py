"""Calls of every family, drawn at random under their grammar: what comes out is read as calls of the tools offered."""

from __future__ import annotations

import json

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from glasnost.engine.llama.constraint import Constraint
from glasnost.engine.output import Arguments, Calls, OutputFormat, OutputParser, Text, ToolCall
from glasnost.engine.reasoning import NO_THINKING
from glasnost.engine.tools.format import MAX_CALLS
from glasnost.engine.tools.formats import FORMATS
from glasnost.engine.tools.grammar import call_grammar
from glasnost.engine.tools.offer import parse_offer
from schemas import answer

pytestmark = [pytest.mark.model, pytest.mark.no_cover]  # other tests run every line of it

SCHEMAS = {
    "weather": {
        "type": "object",
        "properties": {"city": {"type": "string", "maxLength": 5}, "days": {"type": "integer", "maximum": 9}},
        "required": ["city"],
        "additionalProperties": False,
    },
    "time": {"type": "object", "properties": {}, "additionalProperties": False},
}
TOOLS = [{"type": "function", "function": {"name": name, "parameters": SCHEMAS[name]}} for name in SCHEMAS]


def read(form, offer, parts):
    """Give the text, and the calls as [name, arguments], of an answer that comes in parts."""
    parser = OutputParser(OutputFormat(NO_THINKING, Calls(form, offer.names, offer.most)))
    text, calls = "", []
    for piece in [*(piece for part in parts for piece in parser.feed(part)), *parser.finish()]:
        match piece:
            case Text():
                text += piece.text
            case ToolCall():
                calls.append([piece.name, ""])
            case Arguments():
                calls[piece.index][1] += piece.text
    return text, calls


@pytest.mark.parametrize("form", FORMATS, ids=[form.name for form in FORMATS])
@pytest.mark.parametrize("parallel", [True, False])
@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 2**32), size=st.integers(1, 9))
def test_a_required_call_is_read_as_one_however_it_comes(model, form, parallel, seed, size):
    offer = parse_offer({"tools": TOOLS, "tool_choice": "required", "parallel_tool_calls": parallel})
    text = answer(model, Constraint(model, call_grammar(form, offer)(NO_THINKING)), seed)
    assume(text is not None)
    content, calls = read(form, offer, [text])
    assert content == ""
    assert 1 <= len(calls) <= (MAX_CALLS if parallel else 1)
    for name, arguments in calls:
        Draft202012Validator(SCHEMAS[name]).validate(json.loads(arguments))
    assert read(form, offer, [text[at : at + size] for at in range(0, len(text), size)]) == (content, calls)
