"""From a JSON schema to the rules of a grammar."""

from __future__ import annotations

from typing import Any

from glasnost.engine.grammar import Rules
from glasnost.errors import InvalidRequest


def add_schema(rules: Rules, schema: Any, name: str, *, param: str) -> str:
    """Add a schema to a grammar and give the name of the rule that is one JSON value valid under it.

    The rule begins at the first and ends at the last character of the value: white space around it is the caller's.
    `schema` is what the client sent, of any shape: one that is not understood, too deep or too large is an
    InvalidRequest for `param` that names the place in the schema. Takes at most some ten milliseconds. Several
    schemas may be added to the same rules:

        rules = Rules()
        arguments = add_schema(rules, tool["parameters"], "get-weather", param="tools[0].function.parameters")
        rules.add("root", f"{literal('<tool_call>')} {arguments} {literal('</tool_call>')}")
        Grammar(rules.text())
    """
    if not isinstance(schema, dict):
        raise InvalidRequest(f"`{param}` must be an object.", param=param)
    del name
    return add_object(rules)


def add_object(rules: Rules) -> str:
    """Add the rule of any JSON object and give its name."""
    white = rules.once("WS", r'" "? | "\n" " "{0,20}')
    string = rules.once("STRING", rf'"\"" {_character(rules)}* "\""')
    number = rules.once("NUMBER", r'"-"? ("0" | [1-9] [0-9]{0,15}) ("." [0-9]{1,16})? ([eE] [-+]? [0-9]{1,2})?')
    member = rules.once("MEMBER", f'{string} ":" {white} ANY')
    some = rules.once("OBJECT", f'"{{" {white} ({member} ("," {white} {member})* {white})? "}}"')
    items = rules.once("ARRAY", f'"[" {white} (ANY ("," {white} ANY)* {white})? "]"')
    rules.once("ANY", f'{some} | {items} | {string} | {number} | "true" | "false" | "null"')
    return some


def _character(rules: Rules) -> str:
    hexadecimal = "[0-9a-fA-F]"
    # A surrogate on its own is no character; pairs of them are what escapes are not needed for.
    code = f"([0-9abcefABCEF] {hexadecimal} | [dD] [0-7]) {hexadecimal} {hexadecimal}"
    return rules.once("CHAR", rf'[^"\\\x00-\x1F] | "\\" (["\\/bfnrt] | "u" {code})')
