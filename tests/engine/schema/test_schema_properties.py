"""Schemas drawn at random: what llama.cpp's own grammar lets through is JSON that another reader of schemas accepts."""

from __future__ import annotations

import json
from datetime import date, datetime, time
from uuid import UUID

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker

from glasnost.engine.params import Sampling
from glasnost.errors import InvalidRequest
from schemas import SCHEMAS, answer, constraint

pytestmark = [pytest.mark.model, pytest.mark.no_cover]  # other tests run every line of it

READERS = {"date": date.fromisoformat, "time": time.fromisoformat, "date-time": datetime.fromisoformat, "uuid": UUID}
FORMATS = FormatChecker(formats=())
for name, read in READERS.items():
    FORMATS.checks(name, raises=ValueError)(lambda text, read=read: not isinstance(text, str) or read(text) is not None)


@settings(max_examples=100, deadline=None)
@given(schema=SCHEMAS, seed=st.integers(0, 2**32), drawn=st.booleans())
def test_an_answer_is_valid_under_its_schema(vocabulary, schema, seed, drawn):
    wrapped = {"type": "object", "properties": {"it": schema}, "required": ["it"], "additionalProperties": False}
    try:
        state = constraint(vocabulary, wrapped)
    except InvalidRequest as refused:
        event(f"refused: {refused.code}")
        return
    text = answer(vocabulary, state, seed, Sampling(temperature=1, top_k=0, min_p=0) if drawn else None)
    event("cut" if text is None else "whole")
    if text is not None:
        Draft202012Validator(wrapped, format_checker=FORMATS).validate(json.loads(text))
