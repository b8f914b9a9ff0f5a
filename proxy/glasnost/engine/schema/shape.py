"""What a schema allows, one kind of value at a time: references followed, unions taken apart, objects merged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from glasnost.engine.schema.constants import text_of
from glasnost.engine.schema.document import Document, Place, count, mapping

Kind = Literal["any", "constants", "object", "array", "string", "integer", "number", "boolean", "null"]

_TYPES = ("object", "array", "string", "integer", "number", "boolean", "null")
# Says which type is meant where `type` does not.
_TELLING: Mapping[str, Kind] = {
    **dict.fromkeys(("properties", "required", "additionalProperties"), "object"),
    **dict.fromkeys(("items", "prefixItems", "minItems", "maxItems"), "array"),
    **dict.fromkeys(("pattern", "minLength", "maxLength", "format"), "string"),
    **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"), "number"),
}
_COMBINING = ("$ref", "anyOf", "oneOf", "allOf", "enum", "const")
# They change what is valid, and are not understood.
_UNSUPPORTED = frozenset(
    {
        *("not", "if", "then", "else", "$dynamicRef", "$recursiveRef", "dependencies", "dependentRequired"),
        *("dependentSchemas", "patternProperties", "propertyNames", "minProperties", "maxProperties"),
        *("contains", "minContains", "maxContains", "unevaluatedItems"),
    }
)


@dataclass(frozen=True, slots=True)
class Shape:
    """Values of one kind: what a place in the schema says of them.

    `values` are the constants, `texts` the same so that equal ones are equal texts. `members` are an object's
    properties in order; without any it may have all names, each with a value of `others`.
    """

    kind: Kind
    place: Place
    values: tuple[Any, ...] = ()
    texts: frozenset[str] = frozenset()
    members: Mapping[str, Place] = field(default_factory=dict)
    required: frozenset[str] = frozenset()
    others: Place | None = None

    @property
    def children(self) -> tuple[Place, ...]:
        """The schemas of an object's values."""
        return (*self.members.values(), *([self.others] if self.others else ()))


def keywords(document: Document, place: Place) -> Mapping[str, Any]:
    """Give what a schema holds, `{}` for `true`; an unknown or unsupported form of it is an InvalidRequest."""
    schema = {} if place.schema is True else place.schema
    if schema is False:
        raise document.wrong(place, "nothing is valid here")
    if not isinstance(schema, dict):
        raise document.wrong(place, "a schema must be an object")
    wrong = sorted(_UNSUPPORTED & schema.keys())
    if schema.get("uniqueItems"):
        wrong.append("uniqueItems")
    if wrong:
        raise document.wrong(place, f"`{wrong[0]}` is not supported; remove it")
    return schema


def types_of(document: Document, place: Place, schema: Mapping[str, Any]) -> tuple[Kind, ...] | None:
    """Give the types that a schema names or implies; None where it says nothing of them."""
    wanted = schema.get("type")
    if wanted is None:
        implied = dict.fromkeys(_TELLING[keyword] for keyword in schema if keyword in _TELLING)
        return tuple(implied) or None
    types = wanted if isinstance(wanted, list) else [wanted]
    if not types or not all(isinstance(kind, str) and kind in _TYPES for kind in types):
        raise document.wrong(place, f"`type` must be of {', '.join(_TYPES)}")
    return tuple(dict.fromkeys(types))


def alone(document: Document, place: Place, schema: Mapping[str, Any], keyword: str, *also: str) -> None:
    """Refuse what would have to hold together with a keyword."""
    others = [name for name in schema if name in _COMBINING or name in _TELLING or name == "type"]
    others = [name for name in others if name != keyword and name not in also]
    if others:
        raise document.wrong(place, f"`{others[0]}` beside `{keyword}` is not supported; write one of them")


def constants(document: Document, place: Place, schema: Mapping[str, Any]) -> Shape:
    """Give the values of `enum` or `const`, those of the named types only."""
    keyword = "enum" if "enum" in schema else "const"
    alone(document, place, schema, keyword, "type")
    values = schema[keyword] if keyword == "enum" else [schema["const"]]
    if not isinstance(values, list):
        raise document.wrong(place, "`enum` must be an array")
    types = types_of(document, place, schema)
    fitting = tuple(value for value in values if types is None or any(is_of(value, kind) for kind in types))
    if not fitting:
        raise document.wrong(place, f"`{keyword}` holds no value of the `type`")
    return Shape("constants", place, values=fitting, texts=frozenset(_text(value) for value in fitting))


def object_shape(document: Document, place: Place, schema: Mapping[str, Any]) -> Shape:
    """Give an object's properties; where it names some it has no others, which JSON Schema leaves open."""
    members = {name: place.at("properties", name) for name in mapping(document, place, "properties")}
    required = schema.get("required", [])
    if not isinstance(required, list) or not all(isinstance(name, str) for name in required):
        raise document.wrong(place, "`required` must be an array of names")
    others = schema.get("additionalProperties", True)
    rest = None if others is False else Place(f"{place.pointer}/additionalProperties", others)
    for name in required:
        if name not in members and rest is None:
            raise document.wrong(place, f"`required` names {name[:100]!r}, which `additionalProperties` rules out")
        if name not in members and rest is not None:
            members[name] = rest
    return Shape("object", place, members=members, required=frozenset(required), others=None if members else rest)


def merged(document: Document, place: Place, shapes: Iterable[Shape]) -> Shape:
    """Give the object that is all of these objects at once."""
    members: dict[str, Place] = {}
    required: frozenset[str] = frozenset()
    shapes = list(shapes)
    closed = [set(shape.members) for shape in shapes if _closed(shape)]
    for shape in shapes:
        if shape.kind != "object":
            raise document.wrong(place, "`allOf` may combine objects only; write one schema")
        for name, member in shape.members.items():
            if members.setdefault(name, member).pointer != member.pointer:
                raise document.wrong(place, f"`allOf` describes {name[:100]!r} twice; keep one of them")
        required |= shape.required
    if any(names != set(members) for names in closed):
        raise document.wrong(place, "`allOf` combines objects that rule out each other's properties")
    others = next((shape.others for shape in shapes), None) if not members else None
    return Shape("object", place, members=members, required=required, others=others)


def array_counts(document: Document, place: Place) -> tuple[int, int | None]:
    """Give the least and the most items of an array; None where there is no most."""
    least, most = count(document, place, "minItems"), count(document, place, "maxItems")
    if most is not None and (least or 0) > most:
        raise document.wrong(place, "`minItems` is more than `maxItems`")
    return least or 0, most


def _text(value: Any) -> str:
    # 1.0 and 1 are the same value.
    return text_of(int(value) if isinstance(value, float) and value.is_integer() else value)


def _closed(shape: Shape) -> bool:
    return isinstance(shape.place.schema, dict) and shape.place.schema.get("additionalProperties") is False


def is_of(value: Any, kind: Kind) -> bool:
    """Say whether a JSON value is of a kind."""
    if isinstance(value, bool) or value is None:
        return kind == ("null" if value is None else "boolean")
    if kind == "integer":
        return isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    types: Mapping[str, type | tuple[type, ...]]
    types = {"object": dict, "array": list, "string": str, "number": (int, float)}
    return kind in types and isinstance(value, types[kind])
