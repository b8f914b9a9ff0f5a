"""Every kind of value in a schema, tried on llama.cpp's own grammar: what an answer may be, and what not."""

from __future__ import annotations

import pytest

from schemas import allows

pytestmark = pytest.mark.model

COLOURS = {"enum": ["red", "green", 5, 1.0, None, True, {"a": [1]}, "röd", "re"]}


def named(**properties):
    return {"type": "object", "properties": properties, "required": list(properties)}


KINDS = [
    ({"type": "null"}, ["null"], ["nul", "nulls", "None", ""]),
    ({"type": "boolean"}, ["true", "false"], ["True", "1"]),
    ({"type": "integer"}, ["0", "-7", "1234567890123456"], ["01", "-", "1.5", "+1", "12345678901234567", "1e3"]),
    ({"type": "number"}, ["0", "-0.5", "12e-3", "1.25E+10"], [".5", "1.", "0x1", "NaN", "01", "Infinity"]),
    (
        {"type": "string"},
        ['""', '"a b"', '"\\n\\u00e9"', '"é😀"', '"\\\\"', '"\\/"', '"\x7f"'],
        ['"', "a", '"\n"', '"\\x"', '"\\ud800"', '"a"b"', '"\0"', '"\\u12"'],
    ),
    ({"type": ["string", "null"]}, ['"x"', "null"], ["1"]),
    ({}, ['{"a": [1, {"b": null}]}', "[]", '"x"', "1", "true", "{}"], ["{a: 1}", "[1,]", "'x'"]),
    ({"type": "object"}, ["{}", '{"a": 1, "b": [2]}'], ["[]", '{"a"}', '{"a": 1,}', '{1: "a"}']),
    ({"type": "array"}, ["[]", '[1, "a", null]'], ["{}", "[,]"]),
    (
        COLOURS,
        ['"red"', '"green"', '"re"', "5", "null", "true", '{"a":[1]}', '"röd"', "1.0"],
        ['"blue"', '"gree"', "6"],
    ),
    ({"const": "\u4e2d\U0010ffff"}, ['"\u4e2d\\udbff\\udfff"'], ['"\u4e2d"']),
    ({"enum": ["a", 1, None], "type": ["string", "null"]}, ['"a"', "null"], ["1"]),
    ({"const": 1, "type": "integer"}, ["1"], ["2"]),
    (
        {"title": "T", "description": "D", "default": 1, "type": "null", "$comment": "c", "examples": [1]},
        ["null"],
        ["1"],
    ),
]
LENGTHS = [
    ({"type": "string", "minLength": 2}, ['"ab"', '"abcdef"'], ['"a"']),
    ({"type": "string", "maxLength": 2}, ['""', '"é中"', '"\\n\\u0041"'], ['"abc"']),
    ({"type": "string", "minLength": 2, "maxLength": 3}, ['"ab"', '"abc"'], ['"a"', '"abcd"']),
    ({"type": "string", "minLength": 90, "maxLength": 90}, [f'"{"x" * 90}"'], [f'"{"x" * 89}"', f'"{"x" * 91}"']),
    ({"type": "string", "minLength": 300}, [f'"{"x" * 300}"', f'"{"x" * 301}"'], [f'"{"x" * 299}"']),
    ({"type": "string", "maxLength": 200}, ['""', *(f'"{"x" * size}"' for size in (99, 198, 200))], [f'"{"x" * 201}"']),
    ({"type": "string", "maxLength": 0}, ['""'], ['"a"']),
    ({"maxLength": 1}, ['"a"'], ["1", '"ab"']),
]
FORMATS = [
    (
        {"type": "string", "format": "date"},
        ['"2024-02-29"', '"2000-02-29"', '"1999-12-31"', '"0001-01-01"', '"2023-04-30"'],
        ['"2023-02-29"', '"1900-02-29"', '"2023-13-01"', '"2023-04-31"', '"23-01-01"', '"0000-01-01"'],
    ),
    (
        {"type": "string", "format": "time"},
        ['"00:00:00Z"', '"23:59:59.123+05:30"'],
        ['"24:00:00Z"', '"12:60:00Z"', '"12:00:00"', '"12:00Z"'],
    ),
    ({"type": "string", "format": "date-time"}, ['"2024-05-06T07:08:09Z"'], ['"2024-05-06 07:08:09Z"', '"2024-05-06"']),
    (
        {"type": "string", "format": "uuid"},
        ['"123e4567-e89b-12d3-a456-426614174000"'],
        ['"123e4567e89b12d3a456426614174000"', '"123e4567-e89b-12d3-a456-42661417400g"'],
    ),
    ({"type": "string", "format": "email"}, ['"a@b"', '"not one"'], ["1"]),
]
BOUNDS = [
    ({"type": "integer", "minimum": 7}, ["7", "10", "99"], ["6", "0", "-8"]),
    ({"type": "integer", "maximum": -5}, ["-5", "-50"], ["-4", "0", "5"]),
    ({"type": "integer", "minimum": -12, "maximum": 105}, ["-12", "0", "99", "105"], ["-13", "106", "-0"]),
    ({"type": "integer", "exclusiveMinimum": 0, "exclusiveMaximum": 3}, ["1", "2"], ["0", "3"]),
    ({"type": "integer", "minimum": 0.5, "maximum": 2.5}, ["1", "2"], ["0", "3"]),
    ({"type": "integer", "minimum": 100, "maximum": 100}, ["100"], ["10", "1000"]),
    ({"type": "integer", "minimum": -(10**40), "maximum": 10**40}, ["9999999999999999", "-5"], ["10000000000000000"]),
    ({"type": "integer", "multipleOf": 1}, ["3"], ["3.5"]),
    ({"minimum": 3, "type": "number"}, ["3", "3.0", "3.25", "17"], ["2.9", "0", "-4"]),
    ({"maximum": 3, "type": "number"}, ["3", "2.99", "-17.5", "0"], ["3.01", "4"]),
    ({"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}, ["0.5", "0.01"], ["0", "0.0", "1", "1.0"]),
    ({"type": "number", "minimum": -2, "maximum": -1}, ["-1", "-1.5", "-2", "-2.0"], ["-0.9", "-2.1", "0", "1"]),
    ({"type": "number", "minimum": 0, "maximum": 0}, ["0", "0.0"], ["0.1", "1"]),
    ({"type": "number", "minimum": 1, "exclusiveMinimum": 0}, ["1", "1.5"], ["0.5"]),
    ({"minimum": 1}, ["1"], ["0", '"1"']),
]
ITEMS = [
    ({"type": "array", "items": {"type": "null"}}, ["[]", "[null]", "[null, null]"], ["[1]"]),
    ({"type": "array", "minItems": 1, "maxItems": 2, "items": {"const": 1}}, ["[1]", "[1,1]"], ["[]", "[1,1,1]"]),
    ({"type": "array", "maxItems": 0}, ["[]"], ["[1]"]),
    ({"prefixItems": [{"const": 1}, {"const": 2}], "items": False}, ["[1, 2]"], ["[1]", "[]", "[1,2,3]"]),
    ({"prefixItems": [{"const": 1}], "items": {"const": 2}}, ["[1]", "[1, 2, 2]"], ["[]", "[2]", "[1,1]"]),
    ({"items": [{"const": 1}], "additionalItems": {"const": 2}}, ["[1]", "[1,2]"], ["[1,1]"]),
    ({"prefixItems": [{"const": 1}], "minItems": 2}, ["[1, 5]"], ["[1]"]),
    ({"prefixItems": [{"const": 1}, {"const": 2}], "maxItems": 1}, ["[1]"], ["[1,2]"]),
    ({"type": "array", "items": {"type": "array", "items": {"type": "boolean"}}}, ["[[true],[]]"], ["[true]"]),
]
OBJECTS = [
    (
        named(a={"type": "null"}, b={"const": 1}),
        ['{"a": null, "b": 1}', '{"a":null,"b":1}'],
        ["{}", '{"b":1,"a":null}'],
    ),
    (
        {"properties": {"a": {"const": 1}, "b": {"const": 2}}},
        ["{}", '{"a":1}', '{"b":2}', '{"a":1,"b":2}'],
        ['{"c":1}'],
    ),
    (
        {"properties": {"a": {"const": 1}, "b": {"const": 2}, "c": {"const": 3}}, "required": ["b"]},
        ['{"b":2}', '{"a":1,"b":2,"c":3}', '{"b":2,"c":3}'],
        ["{}", '{"a":1,"c":3}', '{"b":2,}', '{,"b":2}'],
    ),
    ({"type": "object", "additionalProperties": {"const": 1}}, ["{}", '{"x": 1, "y": 1}'], ['{"x": 2}']),
    ({"type": "object", "additionalProperties": False}, ["{}"], ['{"x": 2}']),
    ({"type": "object", "required": ["a"]}, ['{"a": [1]}'], ["{}", '{"b": 1}']),
    (named(**{'q"\\é\n': {"const": 1}}), ['{"q\\"\\\\é\\n": 1}'], ['{"q": 1}']),
    (named(a=True), ['{"a": {"b": 1}}'], ["{}"]),
]


@pytest.mark.parametrize(("schema", "valid", "wrong"), [*KINDS, *LENGTHS, *FORMATS, *BOUNDS, *ITEMS, *OBJECTS])
def test_a_value_is_what_its_schema_says(vocabulary, schema, valid, wrong):
    assert [text for text in valid if not allows(vocabulary, schema, text)] == []
    assert [text for text in wrong if allows(vocabulary, schema, text)] == []


@pytest.mark.parametrize("text", ['{"a":\n  [\n    1\n  ]\n}', '{ "a": [ 1 ] }'])
def test_white_space_may_stand_between_the_parts(vocabulary, text):
    assert allows(vocabulary, named(a={"type": "array", "items": {"type": "integer"}}), text)


@pytest.mark.parametrize("text", ['{"a" : 1}', '{"a":     1}', '\n{"a": 1}', '{"a": 1} ', '{"a":\n\n\n1}'])
def test_white_space_that_could_go_on_for_ever_may_not(vocabulary, text):
    assert not allows(vocabulary, named(a={"type": "integer"}), text)
