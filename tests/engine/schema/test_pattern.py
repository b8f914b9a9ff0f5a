"""Patterns: they take the strings that Python's own regular expressions find them in, or are refused."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glasnost.engine.grammar import Rules
from glasnost.engine.schema import add_schema
from glasnost.engine.schema.characters import Characters
from glasnost.errors import InvalidRequest
from schemas import allows

ATOMS = st.sampled_from(
    ["a", "b", "1", " ", "[ab]", "[^a]", "[a-c1]", "\\d", "\\W", "\\S", ".", "\\\\", '"', "\\n", "é"]
)
TIMES = st.sampled_from(["", "", "*", "+", "?", "{2}", "{1,3}", "{0,2}", "{2,}", "*?", "+?"])


def bodies(children):
    repeated = st.builds("(?:{}){}".format, children, TIMES)
    return st.one_of(
        st.lists(children, min_size=1, max_size=3).map("".join),
        st.lists(children, min_size=1, max_size=3).map(lambda some: f"({'|'.join(some)})"),
        repeated,
    )


BODIES = st.recursive(st.builds("{}{}".format, ATOMS, TIMES), bodies, max_leaves=6)
TEXTS = st.lists(st.text('ab1c \n"\\é', max_size=6), min_size=1, max_size=5)


def in_json(text):
    return json.dumps(text, ensure_ascii=False)


def pattern(text):
    return {"type": "string", "pattern": text}


@pytest.mark.model
@settings(max_examples=150, deadline=None)
@given(body=BODIES, starts=st.booleans(), ends=st.booleans(), texts=TEXTS)
def test_a_pattern_takes_what_it_is_found_in(vocabulary, body, starts, ends, texts):
    found = re.compile(("^" if starts else "") + f"(?:{body})" + (r"\Z" if ends else ""))
    schema = pattern(("^" if starts else "") + f"(?:{body})" + ("$" if ends else ""))
    for text in texts:
        taken = allows(vocabulary, schema, in_json(text))
        # A class of all but ASCII letters leaves é to neither dialect.
        expected = found.search(text) is not None
        assert taken == expected or (expected and "é" in text)


@pytest.mark.model
@pytest.mark.parametrize(
    ("wanted", "valid", "wrong"),
    [
        ("^[A-Z]{2}-\\d{1,3}$", ["AB-1", "XY-123"], ["A-1", "AB-1234", "ab-1", "AB-1\n"]),
        ("b+", ["b", "abba"], ["", "a"]),
        ("^a", ["a", "ab"], ["ba"]),
        ("a$", ["a", "ba"], ["ab"]),
        ("", ["", "x"], []),
        ("^$", [""], ["x"]),
        ("^(?:cat|dog)s?$", ["cat", "dogs"], ["cats!", "bird"]),
        ("^[\\]\\-^]+$", ["]-^"], ["a"]),
        ("^[a-]$", ["a", "-"], ["b"]),
        ("^[^\\d\\s]{2}$", ["ab"], ["a1", "a ", "é\u2028"]),
        ("^\\x41\\u00e9\\t\\/$", ["Aé\t/"], ["A"]),
        ("^.\U0001f600$", ["中\U0001f600"], ["\n\U0001f600"]),
        ("^a{0}b$", ["b"], ["ab"]),
        ("^\\f\\r$", ["\f\r"], ["\f", "\r"]),
        ("^[\\x00-\\x1fa]$", ["\n", "\t", "a"], ["\x01", "b"]),
    ],
)
def test_a_pattern_means_what_it_says(vocabulary, wanted, valid, wrong):
    for expected, texts in ((True, valid), (False, wrong)):
        assert [allows(vocabulary, pattern(wanted), in_json(text)) for text in texts] == [expected] * len(texts)


@pytest.mark.parametrize(
    ("wanted", "problem"),
    [
        ("a" * 501, "is longer than 500 characters"),
        ("(" * 11 + ")" * 11, "is nested more than 10 groups deep"),
        ("(a", "lacks a `)`"),
        ("a)", "does not understand `)` at character 2"),
        ("[a", "lacks a `]`"),
        ("[a-", "lacks a `]`"),
        ("[b-a]", "has a range that runs backwards"),
        ("[a-\\d]", "has a range whose end is no single character"),
        ("*", "does not understand `*` at character 1"),
        ("a**", "repeats a repetition at character 3"),
        ("a{2}{3}", "repeats a repetition at character 5"),
        ("a{3,2}", "has a repetition whose least is more than its most"),
        ("a{,3}", "does not understand `{` at character 2"),
        ("a^b", "does not understand `^` at character 2"),
        ("a$b", "does not understand `$` at character 2"),
        ("^a|b", "must have its alternatives in a group"),
        ("a|b$", "must have its alternatives in a group"),
        ("(?=a)", "may have groups (...) and (?:...) only"),
        ("(?<name>a)", "may have groups (...) and (?:...) only"),
        ("(a)\\1", "does not understand `\\1` at character 4"),
        ("\\bword", "does not understand `\\b` at character 1"),
        ("\\p{L}", "does not understand `\\p` at character 1"),
        ("\\u12", "does not understand `\\u` at character 1"),
        ("a\\", "does not understand `\\` at character 2"),
        ("^[^\\u0000-\\uffff\U00010000-\U0010ffff]$", "matches no text that can stand in JSON"),
        ("^[\\ud800-\\udfff]$", "matches no text that can stand in JSON"),
        ("^\\v$", "matches no text that can stand in JSON"),
        ("^a{9999}$", "has too many states; lower its repetitions"),
        ("^((((a{1,9}){1,9}){1,9}){1,9}){1,9}$", "has too many states; lower its repetitions"),
        ("^(a|b)*a(a|b){20}$", "has too many states; lower its repetitions"),
    ],
)
def test_what_is_not_supported_is_refused_in_words(wanted, problem):
    with pytest.raises(InvalidRequest) as refused:
        add_schema(Rules(), pattern(wanted), "a", param="p")
    assert f"`p` at #: `pattern` {problem}" in str(refused.value)
    assert refused.value.code == "invalid_schema"


def test_classes_of_characters_are_joined_and_turned_round():
    joined = Characters.of((5, 7), (1, 3), (4, 4), (9, 9))
    assert joined.ranges == ((1, 7), (9, 9))
    assert joined.others(10).ranges == ((0, 0), (8, 8), (10, 10))
