"""The grammars of calls, tried with llama.cpp's own: what they take, what they do not, and when a lazy one begins."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from glasnost.engine.grammar import Grammar
from glasnost.engine.llama import Model
from glasnost.engine.llama.constraint import Constraint
from glasnost.engine.reasoning import FAMILIES, NO_THINKING, Thinking
from glasnost.engine.tools.formats import DEEPSEEK, DEEPSEEK_BARE, FORMATS, HERMES, LLAMA3, MISTRAL, MISTRAL_LIST
from glasnost.engine.tools.grammar import call_grammar
from glasnost.engine.tools.offer import MAX_TOOLS, parse_offer
from glasnost.errors import InvalidRequest

pytestmark = pytest.mark.model

CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOLS = [
    {"type": "function", "function": {"name": "weather", "parameters": CITY}},
    {"type": "function", "function": {"name": "time"}},
]
WEATHER, TIME = ("weather", '{"city": "Oslo"}'), ("time", "{}")
BARE = '{"name": "weather", "parameters": {"city": "Oslo"}}'
FENCED = '```json\n{\n  "name": "weather",\n  "arguments": {"city": "Oslo"}\n}\n```'


def in_one_list(form):
    opens, closes, *_ = form.markers
    return form.written(*WEATHER).removesuffix(closes) + "\n" + form.written(*TIME).removeprefix(opens)


IN_TURN = [(form, form.written(*call)) for form in FORMATS for call in (WEATHER, TIME)]


def offer(**body):
    return parse_offer({"tools": TOOLS, **body})


def grammar(form, thinking=NO_THINKING, **body):
    return call_grammar(form, offer(**body))(thinking)


def takes(model: Model, wanted: Grammar, text: str) -> bool:
    """Say whether the whole text is taken, byte by byte, and the answer may end behind it."""
    constraint = Constraint(model, wanted)
    try:
        tokens = [model.byte_tokens[byte] for byte in text.encode()]
        return all(constraint.take(token) for token in tokens) and constraint.take(model.end)
    finally:
        constraint.close()


@pytest.mark.parametrize(("form", "text"), IN_TURN)
def test_a_required_call_is_taken_as_its_family_writes_it(model, form, text):
    assert takes(model, grammar(form, tool_choice="required"), text)


@pytest.mark.parametrize("form", FORMATS)
def test_other_names_other_arguments_and_no_call_are_not_taken(model, form):
    required = grammar(form, tool_choice="required")
    assert not takes(model, required, form.written("rm", "{}"))
    assert not takes(model, required, form.written("weather", '{"city": 5}'))
    assert not takes(model, required, form.written("weather", "{}"))
    assert not takes(model, required, "It rains.")
    assert not takes(model, required, "")


@pytest.mark.parametrize("form", FORMATS)
def test_a_named_tool_is_the_only_one_and_called_once(model, form):
    named = grammar(form, tool_choice={"type": "function", "function": {"name": "time"}})
    assert takes(model, named, form.written(*TIME))
    assert not takes(model, named, form.written(*WEATHER))
    assert not takes(model, named, form.written(*TIME) * 2)


@pytest.mark.parametrize(
    ("form", "text"),
    [
        (HERMES, "\n".join(HERMES.written(*call) for call in (WEATHER, TIME))),
        (HERMES, FENCED),
        (HERMES, f"{FENCED}\n{FENCED}"),
        (LLAMA3, f"<|python_tag|>{BARE}"),
        (LLAMA3, BARE.replace("{", '{"type": "function", ', 1)),
        (MISTRAL, "".join(MISTRAL.written(*call) for call in (WEATHER, TIME))),
        (MISTRAL_LIST, '[TOOL_CALLS][{"name": "time", "arguments": {}}, {"name": "time", "arguments": {}}]'),
        *[(form, in_one_list(form)) for form in (DEEPSEEK, DEEPSEEK_BARE)],
    ],
)
def test_several_calls_and_other_forms_are_taken(model, form, text):
    assert takes(model, grammar(form, tool_choice="required"), text)


@pytest.mark.parametrize("form", [HERMES, MISTRAL, MISTRAL_LIST])
def test_one_call_at_most_ends_behind_the_first(model, form):
    text = form.written(*TIME)
    single = grammar(form, tool_choice="required", parallel_tool_calls=False)
    assert takes(model, single, text)
    assert not takes(model, single, f"{text[:-1]}, {text[12:]}" if form is MISTRAL_LIST else text * 2)


@pytest.mark.parametrize("form", FORMATS)
def test_a_call_that_is_free_is_held_to_the_grammar_from_its_opening_on(model, form):
    free = grammar(form)
    call = form.written(*WEATHER)
    assert takes(model, free, "It rains, {or} <so> it [seems].")
    assert takes(model, free, call)
    assert not takes(model, free, form.written("weather", '{"town": "Oslo"}'))
    assert not takes(model, free, call + " And so on.")


@pytest.mark.parametrize("form", [HERMES, MISTRAL, MISTRAL_LIST, DEEPSEEK, DEEPSEEK_BARE])
def test_content_may_come_before_a_free_call(model, form):
    free = grammar(form)
    assert takes(model, free, f"Let me see.\n{form.written(*WEATHER)}")
    assert not takes(model, free, f"Let me see.\n{form.written('weather', '{}')}")


@pytest.mark.parametrize("text", ['{"name": "Ada", "arguments": 5}', '{"answer": 42}', "<tool_call> is a tag", "{"])
def test_what_only_looks_like_a_call_is_free(model, text):
    assert takes(model, grammar(HERMES), text)


@pytest.mark.parametrize(("form", "text"), IN_TURN)
def test_a_trigger_finds_the_beginning_of_the_call_wherever_the_tokens_end(form, text):
    triggers = [re.compile(trigger) for trigger in grammar(form).triggers]
    starts = [[found.start(1) for trigger in triggers if (found := trigger.search(text[:end]))] for end in range(200)]
    assert {start for found in starts for start in found} == {0}
    assert sum(map(bool, starts)) >= 1


def test_a_model_that_thinks_may_think_before_a_required_call(model):
    call = HERMES.written(*TIME)
    thinks = grammar(HERMES, Thinking(), tool_choice="required")
    assert takes(model, thinks, f"<think>\nI <b>see</b>.\n</think>\n\n{call}")
    assert takes(model, thinks, call)
    assert takes(model, thinks, f"[THINK]So [it] is.[/THINK]{call}")
    assert not takes(model, thinks, f"I see. {call}")
    assert not takes(model, grammar(HERMES, tool_choice="required"), f"<think></think>{call}")


def test_thinking_that_the_prompt_opened_is_free_until_it_ends(model):
    thinking = grammar(HERMES, Thinking(inside=FAMILIES[0]), tool_choice="required")
    assert takes(model, thinking, f"I see.\n</think>\n\n{HERMES.written(*TIME)}")
    assert not takes(model, thinking, "I see.\n</think>\n\nIt is noon.")


def test_a_schema_that_cannot_be_a_grammar_is_refused_by_the_name_of_its_tool():
    wrong = replace(offer().tools[0], parameters={"type": "object", "properties": 5})
    with pytest.raises(InvalidRequest) as refused:
        call_grammar(HERMES, replace(offer(), callable=(wrong,)))
    assert refused.value.param.startswith("tools[0].function.parameters")


def test_as_many_tools_as_there_can_be_make_a_grammar(model):
    many = [{"type": "function", "function": {"name": f"t{number}"}} for number in range(MAX_TOOLS)]
    found = call_grammar(HERMES, parse_offer({"tools": many}))(NO_THINKING)
    assert takes(model, found, HERMES.written("t127", "{}"))
