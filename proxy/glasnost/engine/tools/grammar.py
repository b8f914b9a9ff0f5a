"""The grammar of an answer that may, or must, call tools: known names, arguments that follow their schemas."""

from __future__ import annotations

import re
from collections.abc import Callable

from glasnost.engine.grammar import Grammar, Rules, literal
from glasnost.engine.reasoning import Thinking
from glasnost.engine.response_format import ResponseFormat
from glasnost.engine.schema import add_schema
from glasnost.engine.thought import behind_thought
from glasnost.engine.tools.format import Form, Format
from glasnost.engine.tools.offer import Offer, Tool
from glasnost.engine.tools.shape import ARGUMENTS, BLANK, NAME, SPACE, SURE, parts, trigger


def call_grammar(form: Format, offer: Offer, answer: ResponseFormat | None = None) -> Callable[[Thinking], Grammar]:
    """Give what makes the grammar of an answer in this format, once it is known how the prompt leaves the thinking.

    A schema that cannot be one is an InvalidRequest. Where calls are free, the grammar holds from the opening of the
    first on. Where a call is required, or what is no call must be such an `answer`, it holds from the first character,
    behind thinking if there is any.
    """
    rules = Rules()
    rules.name("root")
    arguments = {tool.name: add_schema(rules, tool.parameters, tool.name, param=tool.param) for tool in offer.callable}
    calls = rules.add("calls", " | ".join(_list(rules, each, offer, arguments) for each in form.forms))
    free = not offer.required and answer is None
    if answer is not None and not offer.required:
        calls = rules.add("calls-or-answer", f"{calls} | {answer.add(rules)}")

    def finish(thinking: Thinking) -> Grammar:
        if free:
            rules.set("root", calls)
            return Grammar(rules.text(), _triggers(form, offer.callable, thinking))
        rules.set("root", behind_thought(rules, calls, thinking.tags, thinking.inside))
        return Grammar(rules.text())

    return finish


def _list(rules: Rules, form: Form, offer: Offer, arguments: dict[str, str]) -> str:
    """Add the rule of a list of calls in one form."""
    first = rules.add("first", _call(rules, form.first, arguments))
    body = [first]
    if form.more and offer.most > 1:
        more = rules.add("more", _call(rules, form.more, arguments))
        body.append(f"{more}{{0,{offer.most - 1}}}")
    body += _gbnf(rules, form.end)
    return rules.add("list", " ".join(body))


def _call(rules: Rules, shape: str, arguments: dict[str, str]) -> str:
    """Give the body of a rule for a call of one of the tools, each with its arguments."""
    before, _, rest = shape.partition(NAME)
    between, _, behind = rest.partition(ARGUMENTS)
    calls = (" ".join([literal(name), *_gbnf(rules, between), rule]) for name, rule in arguments.items())
    return " ".join([*_gbnf(rules, before), f"({' | '.join(calls)})", *_gbnf(rules, behind)])


def _gbnf(rules: Rules, text: str) -> list[str]:
    blank = rules.once("BLANK", BLANK)
    return [blank if part == SPACE else literal(part) for part in parts(text) if part != SURE]


def _triggers(form: Format, tools: tuple[Tool, ...], thinking: Thinking) -> tuple[str, ...]:
    names = [tool.name for tool in tools]
    anywhere = trigger(form.form.first, names)
    inside = () if thinking.inside is None else (thinking.inside,)
    start = "|".join([r"\A", *(re.escape(tags.close) for tags in (*thinking.tags, *inside))])
    return (anywhere, *(trigger(each.first, names, start=f"(?:{start})") for each in form.at_start))
