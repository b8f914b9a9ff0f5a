"""From a JSON schema to the rules of a grammar."""

from __future__ import annotations

from typing import Any

from glasnost.engine.grammar import Rules, literal
from glasnost.engine.schema import repeat
from glasnost.engine.schema.constants import constants, text_of
from glasnost.engine.schema.document import Document, Place
from glasnost.engine.schema.graph import Node, check, nodes_of
from glasnost.engine.schema.items import items_of
from glasnost.engine.schema.number import integer, number
from glasnost.engine.schema.reader import Reader
from glasnost.engine.schema.shape import Shape
from glasnost.engine.schema.text import any_string, string
from glasnost.errors import InvalidRequest

# Any of them may come next, and each is a way to be followed.
MAX_OPTIONAL = 100
_PLACE = 20


def add_schema(rules: Rules, schema: Any, name: str, *, param: str) -> str:
    """Add a schema to a grammar and give the name of the rule that is one JSON value valid under it.

    The rule begins at the first and ends at the last character of the value: white space around it is the caller's.
    `schema` is what the client sent, of any shape: one that is not understood, too deep or too large is an
    InvalidRequest for `param` that names the place in the schema. Takes some milliseconds. Several schemas may be
    added to the same rules:

        rules = Rules()
        arguments = add_schema(rules, tool["parameters"], "get-weather", param="tools[0].function.parameters")
        rules.add("root", f"{literal('<tool_call>')} {arguments} {literal('</tool_call>')}")
        Grammar(rules.text())
    """
    if not isinstance(schema, dict):
        raise InvalidRequest(f"`{param}` must be an object.", param=param)
    document = Document(schema, param, rules)
    reader = Reader(document)
    nodes = nodes_of(reader, document.root)
    check(reader, nodes)
    writer = _Writer(rules, document, name, nodes)
    for node in nodes.values():
        writer.write(node)
    return writer.names[document.root.pointer]


def add_object(rules: Rules) -> str:
    """Add the rule of any JSON object and give its name."""
    add_any(rules)
    return "OBJECT"


def add_any(rules: Rules) -> str:
    """Add the rule of any JSON value and give its name."""
    white, text = add_white(rules), any_string(rules)
    rules.once("NUMBER", r'"-"? ("0" | [1-9] [0-9]{0,15}) ("." [0-9]{1,16})? ([eE] [-+]? [0-9]{1,2})?')
    rules.once("MEMBER", f'{text} ":" {white} ANY')
    rules.once("OBJECT", f'"{{" {white} (MEMBER ("," {white} MEMBER)* {white})? "}}"')
    rules.once("ARRAY", f'"[" {white} (ANY ("," {white} ANY)* {white})? "]"')
    return rules.once("ANY", f'OBJECT | ARRAY | {text} | NUMBER | "true" | "false" | "null"')


def add_white(rules: Rules) -> str:
    """Add the rule of white space between the parts of JSON, bounded: small models write it without end."""
    return rules.once("WS", r'" "? | "\n" " "{0,20}')


class _Writer:
    """Writes the rule of every place; `names` has them by pointer."""

    def __init__(self, rules: Rules, document: Document, name: str, nodes: dict[str, Node]) -> None:
        self._rules = rules
        self._document = document
        self._white = add_white(rules)
        self._bodies: dict[tuple[str, str], str] = {}
        self.names = {pointer: rules.name(f"{name}-{pointer.rpartition('/')[2]}") for pointer in nodes}

    def write(self, node: Node) -> None:
        """Write a place: its constants are one tree, its other shapes a rule or a name each."""
        name = self.names[node.place.pointer]
        self._document.spend(_PLACE)
        bodies = [self._once(shape, name) for shape in node.shapes if shape.kind != "constants"]
        values = [value for shape in node.shapes for value in shape.values]
        if values:
            bodies.insert(0, constants(self._rules, values, f"{name}-value"))
        self._rules.set(name, " | ".join(bodies))

    def _once(self, shape: Shape, name: str) -> str:
        """Give the body of a shape, the same one wherever it is referred to."""
        key = (shape.place.pointer, shape.kind)
        if key not in self._bodies:
            self._bodies[key] = self._body(shape, name)
        return self._bodies[key]

    def _body(self, shape: Shape, name: str) -> str:
        place = shape.place
        match shape.kind:
            case "object":
                return self._object(shape, name) if shape.others is None else self._map(shape.others, name)
            case "array":
                return self._array(place, name)
            case "string":
                body = string(self._rules, self._document, place)
            case "integer":
                body = integer(self._document, place)
            case "number":
                body = number(self._document, place)
            case "boolean":
                return '"true" | "false"'
            case "null":
                return '"null"'
            case _:
                return add_any(self._rules)
        return self._rules.add(f"{name}-{shape.kind}", body)

    def _object(self, shape: Shape, name: str) -> str:
        """Write an object's properties in order, each with the rules of what may follow if some, or none, came."""
        if len(shape.members) - len(shape.required) > MAX_OPTIONAL:
            raise self._document.wrong(shape.place, f"more than {MAX_OPTIONAL} properties are not `required`")
        after_some, after_none = f'{self._white} "}}"', '"}"'
        # Behind the first that must be there, some came.
        sure = next((at for at, member in enumerate(shape.members) if member in shape.required), len(shape.members))
        for at, (member, place) in reversed(list(enumerate(shape.members.items()))):
            key = literal(text_of(member) + ":")
            pair = self._rules.add(f"{name}-pair", f"{key} {self._white} {self.names[place.pointer]}")
            first, more = f"{pair} {after_some}", f'"," {self._white} {pair} {after_some}'
            if member not in shape.required:
                first, more = f"{first} | {after_none}", f"{more} | {after_some}"
            if at <= sure:
                after_none = self._rules.add(f"{name}-first", first)
            after_some = self._rules.add(f"{name}-more", more)
        return self._rules.add(f"{name}-object", f'"{{" {self._white} {after_none}')

    def _map(self, values: Place, name: str) -> str:
        pair = f'{any_string(self._rules)} ":" {self._white} {self.names[values.pointer]}'
        member = self._rules.add(f"{name}-member", pair)
        body = f'"{{" {self._white} ({member} ("," {self._white} {member})* {self._white})? "}}"'
        return self._rules.add(f"{name}-object", body)

    def _array(self, place: Place, name: str) -> str:
        items = items_of(self._document, place)
        parts = [self.names[item.pointer] for item in items.first]
        least = items.least - len(parts)
        most = None if items.most is None else items.most - len(parts)
        rest = None if items.rest is None else self.names[items.rest.pointer]
        optional = not parts and least == 0
        if not parts and rest is not None and most != 0:
            parts, least, most = [rest], max(0, least - 1), None if most is None else most - 1
        body = f' "," {self._white} '.join(parts)
        if rest is not None and parts:
            more = self._rules.add(f"{name}-item", f'"," {self._white} {rest}')
            body += " " + repeat.items(more, least, most)
        if body:
            body = f"({body} {self._white}){'?' if optional else ''}"
        return self._rules.add(f"{name}-array", f'"[" {self._white} {body} "]"')
