"""Strict YAML: attacks and slips are problems with a line, never values."""

import time

import pytest

from glasnost import document


def problems(text: str) -> list[str]:
    return [str(problem) for problem in document.parse(text).problems]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: &x 1\nb: *x\n", "document (line 1): anchors and aliases are not allowed (&x)"),
        ("a: 1\na: 2\n", "a (line 2): the key stands here twice"),
        ("b: {c: 1, c: 2}\n", "b.c (line 1): the key stands here twice"),
        ("a: !!python/object/apply:os.system [id]\n", "tag:yaml.org,2002:python/object/apply:os.system is not allowed"),
        ("a: !thing 1\n", "the tag !thing is not allowed"),
        ("a: !!int x\n", "not a valid value"),
        ("[1]: 2\n", "a key must be a plain string"),
        ("a: 1\n--- \nb: 2\n", "more than one YAML document"),
        ("a: [\n", "not YAML"),
        ("a: \x00\n", "not YAML"),
        ("[" * 5_000, "nested deeper than 20 levels"),
    ],
)
def test_what_is_not_plain_yaml_is_a_problem(text, expected):
    found = problems(text)
    assert len(found) == 1
    assert expected in found[0]


def test_a_bomb_and_a_giant_are_refused_quickly():
    bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 9)}]\n" for i in range(8)
    )
    since = time.perf_counter()
    assert problems(bomb)
    assert problems("a: " + "x" * (document.MAX_BYTES + 1))
    assert time.perf_counter() - since < 1


def test_every_path_knows_its_line_and_an_unknown_one_the_line_above_it():
    parsed = document.parse("a:\n  - b: 1\n  - c: 2\n")
    assert parsed.value == {"a": [{"b": 1}, {"c": 2}]}
    assert parsed.line("a[1].c") == 3
    assert parsed.line("a[1].missing") == 3
    assert parsed.line("nothing") == 1


def test_a_date_is_text_and_an_empty_document_is_nothing():
    assert document.parse("when: 1989-06-04").value == {"when": "1989-06-04"}
    assert document.parse("").value is None
