"""The grammar of an answer that may, or must, call tools: known names, arguments that follow their schemas."""

from __future__ import annotations

from glasnost.engine.grammar import Grammar, Rules, literal
from glasnost.engine.reasoning import CLOSE, OPEN
from glasnost.engine.schema import add_schema
from glasnost.engine.tools.format import Form, Format
from glasnost.engine.tools.offer import Offer, Tool
from glasnost.engine.tools.shape import ARGUMENTS, BLANK, NAME, SPACE, SURE, parts, trigger


def call_grammar(form: Format, offer: Offer, *, thinking: bool, thinks: bool) -> Grammar:
    """Give the grammar of an answer in this format; a schema that cannot be one is an InvalidRequest.

    Where calls are free, the grammar holds from the opening of the first on. Where a call is required it holds from
    the first character, and thinking comes first: with `thinking` the prompt has opened it, and the grammar waits
    for its end; with `thinks` the model may open it.
    """
    rules = Rules()
    rules.name("root")
    arguments = {tool.name: add_schema(rules, tool.parameters, tool.name, param=tool.param) for tool in offer.callable}
    calls = rules.add("calls", " | ".join(_list(rules, each, offer, arguments) for each in form.forms))
    if not offer.required:
        rules.set("root", calls)
        return Grammar(rules.text(), _triggers(form, offer.callable))
    blank = rules.once("BLANK", BLANK)
    if thinking:
        rules.set("root", f"{literal(CLOSE)} {blank} {calls}")
        return Grammar(rules.text(), (f"({CLOSE})",))
    thought = f'{literal(OPEN)} ([^<] | "<" [^/] | "</" [^t])* {literal(CLOSE)} {blank}'
    rules.set("root", f"({thought})? {calls}" if thinks else calls)
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


def _triggers(form: Format, tools: tuple[Tool, ...]) -> tuple[str, ...]:
    names = [tool.name for tool in tools]
    anywhere = trigger(form.form.first, names)
    return (anywhere, *(trigger(each.first, names, start=rf"(?:\A|{CLOSE})") for each in form.at_start))
