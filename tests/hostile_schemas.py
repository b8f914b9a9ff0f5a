"""Schemas that are meant to hang, blow up or abort whoever compiles them, or llama.cpp behind."""

from __future__ import annotations

STRING = {"type": "string"}


def nested(depth, wrap, core):
    for _ in range(depth):
        core = wrap(core)
    return core


def needing(**properties):
    return {"type": "object", "properties": properties, "required": list(properties)}


def many(number, make):
    """Give an object of so many properties, all of them required."""
    return needing(**{f"p{index}": make(index) for index in range(number)})


def linked(number, make, **last):
    """Give definitions each of which refers to the next one."""
    links = {f"d{index}": make({"$ref": f"#/$defs/d{index + 1}"}) for index in range(number)}
    return {"$ref": "#/$defs/d0", "$defs": {**links, f"d{number}": last}}


def matching(pattern):
    return {"type": "string", "pattern": pattern}


def either(item):
    """Give two arrays that cannot be told apart before they end."""
    return {"anyOf": [{"type": "array", "items": item}, {"type": "array", "items": item, "minItems": 1}]}


def referred(number, **shared):
    """Give so many references to the same schema."""
    return {**many(number, lambda _: {"$ref": "#/$defs/shared"}), "$defs": {"shared": shared}}


REFUSED = {
    "objects 400 deep": nested(400, lambda inner: {"properties": {"a": inner}}, STRING),
    "arrays 900 deep": nested(900, lambda inner: {"items": inner}, STRING),
    "a million values": {"enum": list(range(1_000_000))},
    "half a million properties": {"type": "object", "properties": {str(name): {} for name in range(500_000)}},
    "half a million alternatives": {"anyOf": [STRING] * 500_000},
    "a long constant": {"const": "x" * 8_000_000},
    "a long name": {"type": "object", "properties": {"x" * 1_000_000: STRING}},
    "a long name above many": needing(**{"x" * 30_000: many(1000, lambda _: {})}),
    "a billion items": {"type": "array", "minItems": 1_000_000_000},
    "a billion items, as a float": {"type": "array", "minItems": 1e9},
    "more items than a number holds": {"type": "array", "minItems": 1e300},
    "a billion characters": {"type": "string", "minLength": 1_000_000_000},
    "optional properties": {"type": "object", "properties": {f"p{name}": STRING for name in range(1300)}},
    "nested repetitions": matching("^((((a{1,9}){1,9}){1,9}){1,9}){1,9}$"),
    "repetitions of what may be repeated": matching("^(x{0,30}){30}$"),
    "an exponential automaton": matching("^(a|b)*a(a|b){20}$"),
    "an automaton just too large": matching("^(a|b)*a(a|b){11}$"),
    "a counted letter": matching("^a{9999}$"),
    "groups in groups": matching("(" * 249 + ")" * 249),
    "a pattern without end": matching("a" * 50_000),
    "a back reference": matching("^(a*)\\1$"),
    "many patterns": many(800, lambda index: matching(f"^(a|b)*a(a|b){{{index % 5 + 1}}}x{index}$")),
    "many slow patterns": many(800, lambda index: matching(f"^.*(.*a){{9}}{index}.{{9}}$")),
    "many large patterns": many(800, lambda index: matching(f"^[^a-c]{{900}}{index}$")),
    "a reference to itself": {"$ref": "#"},
    "references in a ring": {"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}},
    "a value that holds itself": needing(a={"$ref": "#"}),
    "900 references in a row": linked(900, lambda following: following, **STRING),
    "references that double": linked(60, lambda following: {"anyOf": [following] * 2}, **STRING),
    "objects that double": linked(60, lambda following: {"allOf": [following] * 2}, **needing(a=STRING)),
    "arrays that double": linked(60, either, **STRING),
    "alternatives that double and share a list": nested(6, either, {"anyOf": [matching(f"{n}$") for n in range(50)]}),
    "a file": {"$ref": "file:///etc/hostname"},
    "another server": {"$ref": "http://127.0.0.1:9/schema.json"},
    "a reference of many steps": {"$ref": "#" + "/a" * 25_000},
    "one object 900 times": {"allOf": [{"$ref": "#/$defs/o"}] * 900, "$defs": {"o": many(600, lambda _: STRING)}},
    "one union 900 times": referred(900, anyOf=[needing(kind={"const": n}, a=STRING) for n in range(50)]),
    "fifty objects told apart at their end": {
        "oneOf": [needing(**many(9, lambda _: {"enum": [1, 2]})["properties"], z={"const": n}) for n in range(50)]
    },
    "one of fifty objects alike": {"oneOf": [many(25, lambda _: {"const": 1}) for _ in range(40)]},
    "alternatives of alternatives": nested(
        4, lambda inner: {"anyOf": [many(size, lambda _, inner=inner: inner) for size in range(1, 4)]}, STRING
    ),
    "a type that is none": {"type": "\0"},
    "nothing is valid": {"type": "object", "properties": {"a": False}, "required": ["a"]},
}
ACCEPTED = {
    "objects 20 deep": nested(20, lambda inner: needing(a=inner), STRING),
    "arrays 30 deep": nested(30, lambda inner: {"type": "array", "items": inner}, STRING),
    "a thousand items each of a thousand": nested(
        20, lambda inner: {"type": "array", "minItems": 1000, "items": inner}, STRING
    ),
    "up to a thousand items of up to a thousand": nested(
        20, lambda inner: {"type": "array", "maxItems": 1000, "items": inner}, STRING
    ),
    "up to a billion items": {"type": "array", "maxItems": 1_000_000_000, "items": STRING},
    "up to a billion characters": {"type": "string", "maxLength": 1_000_000_000},
    "a hundred thousand characters": {"type": "string", "minLength": 100_000},
    "thousands of values": {"enum": [f"value {index}" for index in range(3900)]},
    "values that begin alike": {"enum": ["a" * size for size in range(1, 300)]},
    "a constant of emojis": {"const": "\U0001f600" * 55_000},
    "a thousand properties": many(1300, lambda _: STRING),
    "a hundred optional properties": {"type": "object", "properties": {f"p{name}": STRING for name in range(100)}},
    "thousands of required names": {"type": "object", "required": [f"n{name}" for name in range(3000)]},
    "a tuple of thousands": {"type": "array", "prefixItems": [{}] * 3000},
    "hundreds of dates": many(900, lambda _: {"type": "string", "format": "date-time"}),
    "hundreds of one pattern": many(800, lambda _: matching("^[a-z]+-[0-9]{4}$")),
    "bounds beyond all": {"type": "integer", "minimum": -1e300, "maximum": 1e300},
    "a repetition of repetitions": matching("^(a+)+$"),
    "stars in a row": matching("^" + "(a*)*" * 90 + "$"),
    "maybes in a row": matching("a?" * 240),
    "nine hundred of anything": matching("^.{900}$"),
    "anything again and again": matching("(.*a){20}"),
    "a large class": matching("[" + "".join(chr(0x4E00 + 2 * index) for index in range(490)) + "]*x"),
    "fifty patterns at once": {"anyOf": [matching(f"^.*{index}$") for index in range(50)]},
    "sixty-four arrays at once": nested(6, either, STRING),
    "a ring of 700 objects": {
        "$ref": "#/$defs/d0",
        "$defs": {
            f"d{n}": {"type": "object", "properties": {"n": {"$ref": f"#/$defs/d{(n + 1) % 700}"}}} for n in range(700)
        },
    },
    "900 arrays in a row that end in two": linked(
        900, lambda following: {"type": "array", "items": following}, **either({})
    ),
    "a tree": {"$ref": "#/$defs/t", "$defs": {"t": {"type": "array", "items": {"$ref": "#/$defs/t"}}}},
    "fifty objects": {"oneOf": [needing(kind={"const": index}) for index in range(50)]},
    "NUL in names and values": needing(**{"\0": {"const": "\0\x1f\x7f"}}),
    "a name that looks like a rule": needing(**{'a"\n\\]}::= root\n': STRING}),
}
