"""The grammar of a JSON answer, before and behind thinking, tried with llama.cpp's own."""

from __future__ import annotations

import pytest

from glasnost.engine.chat import prepare
from glasnost.engine.grammar import Grammar, Rules, literal, until
from glasnost.engine.llama.constraint import Constraint
from glasnost.engine.prompt import Prompter
from glasnost.engine.reasoning import FAMILIES, NO_THINKING, Thinking
from glasnost.engine.response_format import ResponseFormat, answer_grammar, parse_response_format
from glasnost.engine.template import CHATML, ChatTemplate
from glasnost.errors import InvalidRequest
from glasnost.wire.chat import ChatRequest

pytestmark = pytest.mark.model

THINK = FAMILIES[0]
YES = {"type": "json_schema", "json_schema": {"name": "it", "schema": {"const": "yes"}}}
CALL = '<tool_call>\n{"name": "f", "arguments": {}}\n</tool_call>'
# A template of a model that thinks: it opens the thinking, unless it is told not to.
OPENING = (
    CHATML + "{% if add_generation_prompt %}{{ '<think>\\n' if enable_thinking else '<think></think>' }}{% endif %}"
)
#: One whose model may think or not.
MAY = CHATML + "{# <think> </think> #}{{ enable_thinking or '' }}"


def takes(model, grammar, text):
    constraint = Constraint(model, grammar)
    try:
        return all(constraint.take(model.byte_tokens[byte]) for byte in text.encode()) and constraint.take(model.end)
    finally:
        constraint.close()


def prepared(model, template, **fields):
    messages = [{"role": "user", "content": "Well?"}]
    request = ChatRequest.parse({"model": "m", "messages": messages, "response_format": YES, **fields})
    prompter = Prompter(ChatTemplate(template), model, 2048, model.longest_piece())
    return prepare(request, prompter, vocabulary=model.vocabulary, slots=1).sampling.grammar


@pytest.mark.parametrize(
    ("thinking", "tags", "valid", "wrong"),
    [
        (NO_THINKING, (THINK,), ["{}", '{"a": 1}'], ["<think></think>{}", " {}", "{} ", "[]", ""]),
        (Thinking(), (), ["{}"], ["<think></think>{}"]),
        (
            Thinking(),
            (THINK,),
            ["{}", "<think>So <i>{x}</i>.</think>\n\n{}", "<think></think>{}"],
            ["<think>{}", "Hm {}"],
        ),
        (Thinking(inside=THINK), (THINK,), ["So.</think>\n{}", "</think>{}"], ["{}", "So.</think>\nSo."]),
        (Thinking(), FAMILIES, ["[THINK]So.[/THINK]{}", "<think>[/THINK]</think>{}"], ["<think>x[/THINK]{}"]),
    ],
)
def test_json_stands_behind_thinking_where_there_may_be_any(model, thinking, tags, valid, wrong):
    grammar = answer_grammar(ResponseFormat(), tags)(thinking)
    assert [text for text in valid if not takes(model, grammar, text)] == []
    assert [text for text in wrong if takes(model, grammar, text)] == []


def test_a_thinking_that_the_prompt_opened_goes_on_before_the_json(model):
    opened = prepared(model, OPENING, enable_thinking=True)
    assert takes(model, opened, 'I see.\n</think>\n\n"yes"')
    assert not takes(model, opened, '"yes"')
    closed = prepared(model, OPENING, enable_thinking=False)
    assert takes(model, closed, '"yes"')
    assert not takes(model, closed, '<think>I see.</think>"yes"')


def test_a_model_that_may_think_may_also_answer_at_once(model):
    grammar = prepared(model, MAY)
    assert takes(model, grammar, '"yes"')
    assert takes(model, grammar, '<think>\nI see.\n</think>\n\n"yes"')


@pytest.mark.parametrize(
    ("choice", "call", "answer"), [("auto", True, True), ("required", True, False), ("none", False, True)]
)
def test_beside_tools_the_choice_says_what_may_come(model, choice, call, answer):
    tools = [{"type": "function", "function": {"name": "f"}}]
    grammar = prepared(model, CHATML, tools=tools, tool_choice=choice)
    assert takes(model, grammar, CALL) is call
    assert takes(model, grammar, '"yes"') is answer
    assert not takes(model, grammar, "Well.")


@pytest.mark.parametrize("body", [{}, {"response_format": None}, {"response_format": {"type": "text"}}])
def test_no_format_is_any_text(body):
    assert parse_response_format(body) is None


def test_a_schema_is_refused_before_the_prompt_is_rendered(model):
    broken = "{{ raise_exception('rendered') }}"
    wrong = {"type": "json_schema", "json_schema": {"name": "it", "schema": {"type": "x"}}}
    with pytest.raises(InvalidRequest, match="`type` must be of"):
        prepared(model, broken, response_format=wrong)


def test_names_of_rules_are_free_ones_that_look_like_what_was_wanted():
    rules = Rules()
    names = [rules.add(wanted, '"x"') for wanted in ("a b", "a-b", "A_B", "", "é", "x" * 100)]
    assert names == ["a-b", "a-b-2", "a-b-3", "rule", "rule-2", "x" * 16]
    assert rules.once("SHARED", '"y"') == rules.once("SHARED", '"z"') == "SHARED"
    assert 'SHARED ::= "y"\n' in rules.text()
    assert rules.remembered("key", lambda: "one") == rules.remembered("key", lambda: "two") == "one"


def test_a_literal_is_any_text():
    assert literal('a"\\\n\x00é😀') == '"a\\x22\\x5C\\x0A\\x00\\xE9\\U0001F600"'


@pytest.mark.parametrize(("end", "text"), [("aab", "aaab"), ("</x>", "<</x</x>"), ("abab", "abaabab")])
def test_a_text_goes_on_to_the_first_end_of_it(model, end, text):
    rules = Rules()
    rules.name("root")
    rules.set("root", until(rules, end))
    grammar = Grammar(rules.text())
    assert takes(model, grammar, text)
    assert not takes(model, grammar, text[:-1])
    assert not takes(model, grammar, text + "x")
