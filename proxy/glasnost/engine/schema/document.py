"""A JSON schema as a client sent it: bounded, with its references followed and its places named."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from glasnost.engine.grammar import Rules
from glasnost.errors import InvalidRequest

MAX_DEPTH = 64
MAX_VALUES = 4000
MAX_CHARACTERS = 60_000
_VALUE = 5


@dataclass(frozen=True, slots=True)
class Place:
    """A schema within the document; `pointer` is where it stands, such as `#/properties/name`."""

    pointer: str
    schema: Any

    def at(self, *steps: str | int) -> Place:
        """Give the schema below this one."""
        pointer, schema = self.pointer, self.schema
        for step in steps:
            pointer, schema = f"{pointer}/{_escape(step)}", schema[step]
        return Place(pointer, schema)


class Document:
    """A schema that is small enough to be read; `param` is the field of the request that it came in.

    `rules` will hold it, and counts the work for all schemas of the request.
    """

    def __init__(self, schema: Any, param: str, rules: Rules) -> None:
        self.param = param
        self._rules = rules
        self.root = Place("#", schema)
        self._check_size(schema)

    def wrong(self, place: Place | str, problem: str) -> InvalidRequest:
        """Give the error for a place: `problem` says what is wrong there and what to do."""
        pointer = place if isinstance(place, str) else place.pointer
        return InvalidRequest(f"`{self.param}` at {pointer[:200]}: {problem}.", param=self.param, code="invalid_schema")

    def spend(self, work: int) -> None:
        """Count work before it is done, a character of a grammar being one; refuse the schema when it is too much."""
        self._rules.room -= work
        if self._rules.room < 0:
            raise self.wrong(
                self.root,
                "it is too much work, with all other schemas of the request; use fewer properties, alternatives, "
                "fixed values and patterns",
            )

    def follow(self, place: Place, reference: Any) -> Place:
        """Give what a `$ref` of this place stands for; only references within the document are followed."""
        if not isinstance(reference, str) or not (reference == "#" or reference.startswith("#/")):
            raise self.wrong(place, "`$ref` must be a place in this schema, such as #/$defs/name")
        self.spend(len(reference))
        target = self.root
        for part in reference.split("/")[1:]:
            step: str | int = part.replace("~1", "/").replace("~0", "~")
            if isinstance(target.schema, list) and part.isascii() and part.isdigit() and len(part) < 5:
                step = int(part)
            try:
                target = target.at(step)
            except (KeyError, IndexError, TypeError):
                raise self.wrong(place, f"`$ref` names {reference[:100]}, which is not there") from None
        return target

    def _check_size(self, schema: Any) -> None:
        room = MAX_CHARACTERS
        # A stack of our own: a schema may be nested deeper than Python's goes.
        work = [(schema, 1)]
        seen = 0
        while work:
            value, depth = work.pop()
            seen += 1
            if isinstance(value, str):
                room -= len(value)
            elif isinstance(value, dict):
                room -= sum(map(len, value))
            if depth > MAX_DEPTH:
                raise self.wrong(self.root, f"it is nested more than {MAX_DEPTH} levels deep")
            work += ((child, depth + 1) for child in _children(value, MAX_VALUES - seen - len(work)))
            if seen + len(work) >= MAX_VALUES:
                raise self.wrong(self.root, f"it holds more than {MAX_VALUES} values")
            self.spend(_VALUE)
            if room < 0:
                raise self.wrong(self.root, f"its names and texts are longer than {MAX_CHARACTERS} characters")


def mapping(document: Document, place: Place, keyword: str) -> Mapping[str, Any]:
    """Give the object that a keyword holds, empty where there is none."""
    value = place.schema.get(keyword, {})
    if not isinstance(value, dict):
        raise document.wrong(place, f"`{keyword}` must be an object")
    return value


def count(document: Document, place: Place, keyword: str) -> int | None:
    """Give the whole number from 0 on that a keyword holds, None where there is none."""
    value = place.schema.get(keyword)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise document.wrong(place, f"`{keyword}` must be a whole number from 0 on")
    return value


def _children(value: Any, most: int) -> Iterator[Any]:
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for number, child in enumerate(children):
        if number > most:
            return
        yield child


def _escape(step: str | int) -> str:
    return str(step).replace("~", "~0").replace("/", "~1")
