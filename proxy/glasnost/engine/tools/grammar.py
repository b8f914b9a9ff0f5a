"""The grammar of an answer that may, or must, call tools: known names, arguments that follow their schemas."""

from __future__ import annotations

import re

from glasnost.engine.grammar import Grammar, Rules, literal
from glasnost.engine.reasoning import Tags, Thinking
from glasnost.engine.schema import add_schema
from glasnost.engine.tools.format import Form, Format
from glasnost.engine.tools.offer import Offer, Tool
from glasnost.engine.tools.shape import ARGUMENTS, BLANK, NAME, SPACE, SURE, parts, trigger


def call_grammar(form: Format, offer: Offer, thinking: Thinking) -> Grammar:
    """Give the grammar of an answer in this format; a schema that cannot be one is an InvalidRequest.

    Where calls are free, the grammar holds from the opening of the first on. Where a call is required it holds from
    the first character, behind thinking if the model opens any; where the prompt has opened it, it waits for its end.
    """
    rules = Rules()
    rules.name("root")
    arguments = {tool.name: add_schema(rules, tool.parameters, tool.name, param=tool.param) for tool in offer.callable}
    calls = rules.add("calls", " | ".join(_list(rules, each, offer, arguments) for each in form.forms))
    if not offer.required:
        rules.set("root", calls)
        return Grammar(rules.text(), _triggers(form, offer.callable, thinking))
    if thinking.inside is not None:
        close = thinking.inside.close
        rules.set("root", f"{literal(close)} {rules.once('BLANK', BLANK)} {calls}")
        return Grammar(rules.text(), (f"({re.escape(close)})",))
    thoughts = [_thought(rules, tags) for tags in thinking.tags]
    rules.set("root", f"({' | '.join(thoughts)})? {calls}" if thoughts else calls)
    return Grammar(rules.text())


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


def _thought(rules: Rules, tags: Tags) -> str:
    """Give the rule of a whole thinking, whose text goes on until the closing tag."""
    close = tags.close
    text = (f"{literal(close[:size])} [^{_in_class(close[size])}]" for size in range(1, len(close)))
    body = " | ".join([f"[^{_in_class(close[0])}]", *text])
    return rules.add("thought", f"{literal(tags.open)} ({body})* {literal(close)} {rules.once('BLANK', BLANK)}")


def _in_class(character: str) -> str:
    return f"\\x{ord(character):02X}"


def _triggers(form: Format, tools: tuple[Tool, ...], thinking: Thinking) -> tuple[str, ...]:
    names = [tool.name for tool in tools]
    anywhere = trigger(form.form.first, names)
    inside = () if thinking.inside is None else (thinking.inside,)
    start = "|".join([r"\A", *(re.escape(tags.close) for tags in (*thinking.tags, *inside))])
    return (anywhere, *(trigger(each.first, names, start=f"(?:{start})") for each in form.at_start))
