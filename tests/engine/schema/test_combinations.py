"""Schemas made of others: references, unions and objects that hold together; and what is refused, by its place."""

from __future__ import annotations

import pytest

from glasnost.engine.grammar import Rules
from glasnost.engine.schema import add_schema
from glasnost.errors import InvalidRequest
from schemas import allows

LIST = {
    "$ref": "#/$defs/node",
    "$defs": {
        "node": {
            "type": "object",
            "properties": {"value": {"const": 1}, "next": {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/node"}]}},
            "required": ["value", "next"],
        }
    },
}
TREE = {"type": "array", "items": {"$ref": "#"}}


def named(**properties):
    return {"type": "object", "properties": properties, "required": list(properties)}


KINDS = {"oneOf": [named(kind={"const": "a"}, n={"const": 1}), named(kind={"const": "b"}, n={"const": 2})]}
COMBINED = [
    (LIST, ['{"value":1,"next":null}', '{"value":1,"next":{"value":1,"next":null}}'], ['{"value":1}', "null"]),
    (TREE, ["[]", "[[],[[]]]"], ["[1]", "["]),
    ({"$ref": "#/$defs/a~1b~0c", "$defs": {"a/b~c": {"const": 1}}}, ["1"], ["2"]),
    ({"$ref": "#/$defs/list/1", "$defs": {"list": [{"const": 1}, {"const": 2}]}}, ["2"], ["1"]),
    ({"$ref": "#/definitions/x", "definitions": {"x": {"type": "null"}}, "title": "T"}, ["null"], ["1"]),
    ({"anyOf": [{"type": "string"}, {"type": "integer"}, {"const": None}]}, ['"a"', "3", "null"], ["true", "3.5"]),
    ({"anyOf": [{"const": 1}, {}]}, ["1", "[]"], [""]),
    ({"anyOf": [{"enum": ["ab", "ac"]}, {"const": "a"}]}, ['"ab"', '"a"'], ['"b"']),
    (KINDS, ['{"kind":"a","n":1}', '{"kind":"b","n":2}'], ['{"kind":"a","n":2}']),
    ({"oneOf": [{"type": "string"}, {"type": "number"}, {"type": "null"}]}, ['"a"', "1.5", "null"], ["[]"]),
    ({"oneOf": [{"enum": [1, 2]}, {"enum": [3]}]}, ["1", "3"], ["4"]),
    ({"oneOf": [{"type": "boolean"}, {"enum": [3]}]}, ["true", "3"], ["4"]),
    ({"oneOf": [named(a={"const": 1}), named(b={"const": 1})]}, ['{"a":1}', '{"b":1}'], ["{}"]),
    ({"allOf": [named(a={"const": 1}), named(b={"const": 2})]}, ['{"a":1,"b":2}'], ['{"a":1}', '{"b":2}']),
    ({"allOf": [named(a={"const": 1})], "properties": {"b": {"const": 2}}}, ['{"a":1}', '{"a":1,"b":2}'], ["{}"]),
    ({"allOf": [{"type": "string"}]}, ['"a"'], ["1"]),
    ({"allOf": [{"type": "object"}, {"type": "object"}]}, ["{}", '{"a":1}'], ["1"]),
    ({"anyOf": [{"type": "array", "items": {"const": n}} for n in (1, 2)]}, ["[1,1]", "[2]", "[]"], ["[1,2]"]),
    ({"anyOf": [named(a={}), named(a={}, b={})]}, ['{"a":[]}', '{"a":[],"b":{}}'], ["{}"]),
]


@pytest.mark.model
@pytest.mark.parametrize(("schema", "valid", "wrong"), COMBINED)
def test_a_combined_schema_means_all_of_its_parts(vocabulary, schema, valid, wrong):
    assert [text for text in valid if not allows(vocabulary, schema, text)] == []
    assert [text for text in wrong if allows(vocabulary, schema, text)] == []


def at(schema):
    """Give the place and the problem that a schema is refused with."""
    with pytest.raises(InvalidRequest) as refused:
        add_schema(Rules(), schema, "answer", param="field")
    assert (refused.value.param, refused.value.code) == ("field", "invalid_schema")
    place, _, problem = str(refused.value).removeprefix("`field` at ").partition(": ")
    return place, problem


OBJECT = {"type": "object"}
STRING = {"type": "string"}
UNSUPPORTED = (
    *("not", "if", "then", "else", "$dynamicRef", "dependencies", "patternProperties", "propertyNames"),
    *("minProperties", "maxProperties", "contains", "unevaluatedItems", "dependentRequired", "uniqueItems"),
)
REFUSED = [
    ({"type": "function"}, "#", "`type` must be of"),
    ({"type": []}, "#", "`type` must be of"),
    ({"type": ["string", 5]}, "#", "`type` must be of"),
    ({"properties": []}, "#", "`properties` must be an object"),
    ({"properties": {"a": 5}}, "#/properties/a", "a schema must be an object"),
    ({"properties": {"a": False}}, "#/properties/a", "nothing is valid here"),
    ({"properties": {"a/b~": {"type": 5}}}, "#/properties/a~1b~0", "`type` must be of"),
    ({**OBJECT, "required": "a"}, "#", "`required` must be an array of names"),
    ({**OBJECT, "required": [1]}, "#", "`required` must be an array of names"),
    ({**OBJECT, "required": ["a"], "additionalProperties": False}, "#", "`required` names 'a'"),
    ({"properties": {str(n): {} for n in range(101)}}, "#", "more than 100 properties are not `required`"),
    ({"enum": 5}, "#", "`enum` must be an array"),
    ({"enum": []}, "#", "`enum` holds no value"),
    ({"enum": [1], "type": "string"}, "#", "`enum` holds no value of the `type`"),
    ({"const": 1, "minimum": 0}, "#", "`minimum` beside `const` is not supported"),
    ({"$ref": "#/$defs/a"}, "#", "`$ref` names #/$defs/a, which is not there"),
    ({"$ref": "#/items/x", "items": [{}]}, "#", "`items` beside `$ref`"),
    ({"$ref": "other.json"}, "#", "`$ref` must be a place in this schema"),
    ({"$ref": 5}, "#", "`$ref` must be a place in this schema"),
    ({"$ref": "#"}, "#", "it refers to itself"),
    ({"anyOf": [{"$ref": "#"}]}, "#", "it refers to itself"),
    ({"anyOf": []}, "#", "`anyOf` must be an array of schemas"),
    ({"oneOf": {}}, "#", "`oneOf` must be an array of schemas"),
    ({"allOf": 5}, "#", "`allOf` must be an array of schemas"),
    ({"anyOf": [STRING], "oneOf": [STRING]}, "#", "`oneOf` beside `anyOf`"),
    ({"anyOf": [STRING] * 51}, "#", "it has more than 50 alternatives"),
    ({"oneOf": [STRING, STRING]}, "#", "two alternatives of `oneOf` could hold at once"),
    ({"oneOf": [{"type": "integer"}, {"type": "number"}]}, "#", "two alternatives of `oneOf`"),
    ({"oneOf": [{"const": 1}, {"const": 1.0}]}, "#", "two alternatives of `oneOf`"),
    ({"oneOf": [{"const": 1}, {"type": "number"}]}, "#", "two alternatives of `oneOf`"),
    ({"oneOf": [{}, STRING]}, "#", "two alternatives of `oneOf`"),
    ({"oneOf": [OBJECT, named(a=STRING)]}, "#", "two alternatives of `oneOf`"),
    ({"oneOf": [named(a=STRING), named(a=STRING, b=STRING)]}, "#", "two alternatives of `oneOf`"),
    ({"oneOf": [{"type": "array"}, {"type": "array"}]}, "#", "two alternatives of `oneOf`"),
    ({"allOf": [STRING, STRING]}, "#", "`allOf` may combine objects only"),
    ({"allOf": [{"anyOf": [OBJECT, STRING]}, OBJECT]}, "#", "`allOf` may combine objects only"),
    ({"allOf": [named(a=STRING), named(a=STRING)]}, "#", "`allOf` describes 'a' twice"),
    (
        {"allOf": [{**named(a=STRING), "additionalProperties": False}, named(b=STRING)]},
        "#",
        "`allOf` combines objects that rule out each other's properties",
    ),
    ({"type": "array", "minItems": -1}, "#", "`minItems` must be a whole number"),
    ({"type": "array", "minItems": True}, "#", "`minItems` must be a whole number"),
    ({"type": "array", "maxItems": 1.5}, "#", "`maxItems` must be a whole number"),
    ({"type": "array", "minItems": 1001}, "#", "`minItems` must be at most 1000"),
    ({"type": "array", "minItems": 2, "maxItems": 1}, "#", "`minItems` is more than `maxItems`"),
    ({"prefixItems": [STRING], "items": False, "minItems": 2}, "#", "`minItems` asks for more items than"),
    ({"prefixItems": {}}, "#", "`prefixItems` must be an array of schemas"),
    ({"type": "integer", "minimum": "0"}, "#", "`minimum` must be a number"),
    ({"type": "integer", "minimum": True}, "#", "`minimum` must be a number"),
    ({"type": "integer", "minimum": 2, "maximum": 1}, "#", "no integer of up to 16 digits"),
    ({"type": "integer", "minimum": 10**17}, "#", "no integer of up to 16 digits"),
    ({"type": "number", "minimum": 2, "maximum": 1}, "#", "no number of up to 16 digits"),
    ({"type": "number", "minimum": 0.5}, "#", "the bounds of a `number` must be whole numbers"),
    ({"type": "integer", "multipleOf": 2}, "#", "`multipleOf` is not supported"),
    ({"type": "number", "multipleOf": 0.5}, "#", "`multipleOf` is not supported"),
    ({**STRING, "minLength": 3, "maxLength": 2}, "#", "`minLength` must be at most"),
    ({**STRING, "minLength": 100_001}, "#", "`minLength` must be at most"),
    ({**STRING, "pattern": 5}, "#", "`pattern` must be a string"),
    ({**STRING, "pattern": "a", "minLength": 1}, "#", "only one of `pattern`, `format` and a length"),
    ({**STRING, "format": "date", "maxLength": 10}, "#", "only one of `pattern`, `format` and a length"),
    (named(a={"$ref": "#"}), "#", "every value here must hold another one like it"),
    ({"type": "array", "items": {"$ref": "#"}, "minItems": 1}, "#", "every value here must hold another one"),
    *[({name: {} if name == "not" else 1}, "#", f"`{name}` is not supported") for name in UNSUPPORTED],
]


@pytest.mark.parametrize(("schema", "place", "problem"), REFUSED)
def test_what_a_grammar_cannot_say_is_refused_by_its_place(schema, place, problem):
    found, told = at(schema)
    assert found == place
    assert told.startswith(problem)


@pytest.mark.parametrize("schema", [None, [], "string", 5, True])
def test_a_schema_is_an_object(schema):
    with pytest.raises(InvalidRequest, match="must be an object"):
        add_schema(Rules(), schema, "answer", param="field")


def test_alternatives_that_cannot_be_told_apart_may_not_be_nested():
    schema = STRING
    for _ in range(7):
        schema = {"anyOf": [{"type": "array", "items": schema}, {"type": "array", "items": schema, "minItems": 1}]}
    assert at(schema)[1].startswith("its alternatives cannot be told apart")


def test_alternatives_with_a_const_of_their_own_may_be_nested():
    schema = STRING
    for _ in range(5):
        schema = {"anyOf": [named(kind={"const": n}, of=schema) for n in range(2)]}
    add_schema(Rules(), schema, "answer", param="field")
