"""Takes every place of a schema apart into the shapes that are valid there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from glasnost.engine.schema.disjoint import disjoint
from glasnost.engine.schema.document import Document, Place, mapping
from glasnost.engine.schema.shape import (
    Shape,
    alone,
    constants,
    keywords,
    merged,
    object_shape,
    types_of,
)

MAX_ALTERNATIVES = 50
_MAX_CHAIN = 100
# What it costs, in characters of a grammar, to read a place, and to look at what was read.
_PLACE = 30
_LOOK = 10


class Reader:
    """Gives the shapes of a place, the same ones for each reference to it."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self._read: dict[str, tuple[Shape, ...]] = {}
        self._reading: list[str] = []

    def shapes(self, place: Place) -> tuple[Shape, ...]:
        """Give the shapes of which a value here is one; there is at least one."""
        known = self._read.get(place.pointer)
        if known is not None:
            self.document.spend(_LOOK + sum(len(shape.values) for shape in known))
            return known
        if place.pointer in self._reading or len(self._reading) > _MAX_CHAIN:
            raise self.document.wrong(place, "it refers to itself, or through too many others, before any value begins")
        self.document.spend(_PLACE + len(place.pointer) // 16)
        self._reading.append(place.pointer)
        found = {shape.place.pointer + shape.kind: shape for shape in self._take_apart(place)}
        self._reading.pop()
        shapes = tuple(found.values())
        wide = [shape for shape in shapes if shape.kind == "any"]
        self._read[place.pointer] = tuple(wide) or shapes
        return self._read[place.pointer]

    def _take_apart(self, place: Place) -> list[Shape]:
        schema = keywords(self.document, place)
        place = Place(place.pointer, schema)
        if "$ref" in schema:
            alone(self.document, place, schema, "$ref")
            return list(self.shapes(self.document.follow(place, schema["$ref"])))
        for keyword in ("anyOf", "oneOf"):
            if keyword in schema:
                return self._union(place, schema, keyword)
        if "allOf" in schema:
            return self._all(place, schema)
        if "enum" in schema or "const" in schema:
            return [constants(self.document, place, schema)]
        types = types_of(self.document, place, schema)
        if types is None:
            return [Shape("any", place)]
        self.document.spend(_LOOK * len(mapping(self.document, place, "properties")))
        return [
            object_shape(self.document, place, schema) if kind == "object" else Shape(kind, place) for kind in types
        ]

    def _union(self, place: Place, schema: Mapping[str, Any], keyword: str) -> list[Shape]:
        alone(self.document, place, schema, keyword)
        parts = [self.shapes(part) for part in self._parts(place, keyword)]
        shapes = [shape for part in parts for shape in part]
        if len(shapes) > MAX_ALTERNATIVES:
            raise self.document.wrong(place, f"it has more than {MAX_ALTERNATIVES} alternatives")
        if keyword == "oneOf":
            self._check_one_of(place, parts)
        return shapes

    def _check_one_of(self, place: Place, parts: list[tuple[Shape, ...]]) -> None:
        for at, part in enumerate(parts):
            for other in parts[:at]:
                self.document.spend(sum(_effort(one) + _effort(two) for one in part for two in other))
                if not all(disjoint(one, two, self.shapes) for one in part for two in other):
                    raise self.document.wrong(
                        place,
                        "two alternatives of `oneOf` could hold at once; use `anyOf`, or give them a required property "
                        "with a different `const` each",
                    )

    def _all(self, place: Place, schema: Mapping[str, Any]) -> list[Shape]:
        alone(self.document, place, schema, "allOf", "type", "properties", "required", "additionalProperties")
        parts = [self.shapes(part) for part in self._parts(place, "allOf")]
        own = {name: value for name, value in schema.items() if name != "allOf"}
        if types_of(self.document, place, own) is None:
            if len(parts) == 1:
                return list(parts[0])
        else:
            parts.append((object_shape(self.document, place, own),))
        if any(len(part) != 1 for part in parts):
            raise self.document.wrong(place, "`allOf` may combine objects only; write one schema")
        self.document.spend(sum(len(part[0].members) for part in parts))
        return [merged(self.document, place, [part[0] for part in parts])]

    def _parts(self, place: Place, keyword: str) -> list[Place]:
        parts = place.schema[keyword]
        if not isinstance(parts, list) or not parts:
            raise self.document.wrong(place, f"`{keyword}` must be an array of schemas")
        return [place.at(keyword, index) for index in range(len(parts))]


def _effort(shape: Shape) -> int:
    return _LOOK + len(shape.members) + len(shape.values)
