"""Schemas of every supported kind, and answers made under them at random by llama.cpp's own grammar."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from glasnost.engine.grammar import Grammar, Rules
from glasnost.engine.llama import Model
from glasnost.engine.llama.constrained import ConstrainedSampler
from glasnost.engine.llama.constraint import Constraint
from glasnost.engine.params import Sampling
from glasnost.engine.schema import add_schema

NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=6)
NUMBERS = st.integers(-1000, 1000)
VALUES = st.one_of(st.none(), st.booleans(), NUMBERS, st.floats(-9, 9), NAMES, st.lists(NUMBERS, max_size=2))
FORMATS = st.sampled_from(["date", "time", "date-time", "uuid"])
PATTERNS = st.sampled_from(
    [
        *("^[a-z]+$", "^[A-Z]{2}-\\d{1,3}$", "b+", "^(?:ab|cd)*x?$", "^[^\\d\\s]{1,4}$", "^\\S*$"),
        *('^"\\\\/[\\]"-]{0,3}$', "^(a+)+$", "^((a|b){1,3}){1,3}$", "^.{3}$", "^(|é|😀)中?$", "[\\W]"),
        *("", "^$", "a|b", "\\w+@\\w+\\.com$", "^\\u0041\\x42$", "^[\\n\\t ]{1,2}$", "^(?:0|[1-9][0-9]*)$"),
    ]
)


@st.composite
def ranges(draw, least, most, numbers):
    low, high = sorted((draw(numbers), draw(numbers)))
    return draw(st.sampled_from([{}, {least: low}, {most: high}, {least: low, most: high}]))


def scalars():
    kinds = st.sampled_from(["string", "integer", "number", "boolean", "null"])
    lengths, small = st.integers(0, 200), st.integers(-9, 9)
    return st.one_of(
        st.builds(dict, type=kinds),
        st.builds(lambda kinds: {"type": kinds}, st.lists(kinds, min_size=1, max_size=3, unique=True)),
        st.builds(lambda values: {"enum": values}, st.lists(VALUES, min_size=1, max_size=5)),
        st.builds(lambda value: {"const": value}, VALUES),
        st.builds(lambda size: {"type": "string", **size}, ranges("minLength", "maxLength", lengths)),
        st.builds(lambda name: {"type": "string", "format": name}, FORMATS),
        st.builds(lambda pattern: {"type": "string", "pattern": pattern}, PATTERNS),
        st.builds(lambda size: {"type": "integer", **size}, ranges("minimum", "maximum", NUMBERS)),
        st.builds(lambda size: {"type": "number", **size}, ranges("minimum", "maximum", NUMBERS)),
        st.builds(lambda size: {"type": "number", **size}, ranges("exclusiveMinimum", "exclusiveMaximum", small)),
        st.builds(lambda size: {"type": "integer", **size}, ranges("exclusiveMinimum", "maximum", st.floats(-20, 20))),
    )


def structures(children):
    sizes = ranges("minItems", "maxItems", st.integers(0, 3))
    return st.one_of(
        st.builds(lambda item, size: {"type": "array", "items": item, **size}, children, sizes),
        st.builds(
            lambda items: {"type": "array", "prefixItems": items, "items": False}, st.lists(children, max_size=3)
        ),
        st.builds(objects_of, st.dictionaries(NAMES, children, max_size=4), st.randoms(use_true_random=False)),
        st.builds(lambda value: {"type": "object", "additionalProperties": value}, children),
        st.builds(lambda some: {"anyOf": some}, st.lists(children, min_size=1, max_size=3)),
        st.builds(lambda some: {"oneOf": some}, st.lists(children, min_size=1, max_size=2)),
        st.builds(
            lambda one, two: {"allOf": [objects_of(one), objects_of(two)]},
            st.dictionaries(NAMES, children, max_size=2),
            st.dictionaries(NAMES, children, max_size=2),
        ),
    )


def objects_of(properties, random=None):
    required = [name for name in properties if random is None or random.random() < 0.6]
    schema = {"type": "object", "properties": properties, "required": required}
    if random is not None and random.random() < 0.5:
        schema["additionalProperties"] = False
    return schema


SCHEMAS = st.recursive(scalars(), structures, max_leaves=8)


def constraint(model: Model, schema) -> Constraint:
    rules = Rules()
    rules.name("root")
    rules.set("root", add_schema(rules, schema, "answer", param="schema"))
    return Constraint(model, Grammar(rules.text()))


def answer(model: Model, constraint: Constraint, seed: int, sampling: Sampling | None = None, most: int = 400):
    """Give an answer of random tokens that keep to the grammar; None where it does not come to an end."""
    random = np.random.default_rng(seed)
    closing = [token for byte, token in model.byte_tokens.items() if byte in b'"}],0']

    def logits(row):
        drawn = random.normal(scale=2, size=model.vocabulary).astype(np.float32)
        drawn[closing] += 2 + row / 20
        drawn[model.end] += 9
        return drawn

    sampler = ConstrainedSampler(constraint, logits, 64, sampling or Sampling(temperature=0), seed)
    text = b""
    try:
        for row in range(most):
            token = sampler.sample(row)
            if token is None:
                return None
            if model.ends(token):
                return text.decode()
            text += model.piece(token)
        return None
    finally:
        sampler.close()


def allows(model: Model, schema, text: str) -> bool:
    """Say whether all of a text is taken, byte by byte, and an answer may end behind it."""
    state = constraint(model, schema)
    try:
        return all(state.take(model.byte_tokens[byte]) for byte in text.encode()) and state.take(model.end)
    finally:
        state.close()
