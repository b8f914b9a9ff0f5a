"""The field `lora` of a request: which adapters it means, and what is wrong with it."""

from __future__ import annotations

import pytest

from glasnost.engine.adapters import parse_adapters
from glasnost.errors import InvalidRequest

LOADED = [("law", 1.0), ("slang", 0.0), ("verse", -0.5)]


@pytest.mark.parametrize(
    ("lora", "meant"),
    [
        (None, ((0, 1.0), (2, -0.5))),
        ([], ()),
        ([{"id": 0}], ((0, 1.0),)),
        ([{"id": "slang"}], ((1, 1.0),)),
        ([{"id": 2, "scale": None}], ((2, -0.5),)),
        ([{"id": "verse", "scale": 2}, {"id": 0, "scale": 0.25}], ((0, 0.25), (2, 2.0))),
        ([{"id": "law", "scale": 0}], ()),
    ],
)
def test_a_set_is_what_the_request_lists_or_what_the_engine_was_started_with(lora, meant):
    assert parse_adapters({} if lora is None else {"lora": lora}, LOADED) == meant


def test_an_engine_without_adapters_has_the_empty_set():
    assert parse_adapters({}, []) == parse_adapters({"lora": []}, []) == ()


@pytest.mark.parametrize(
    ("lora", "problem"),
    [
        ("law", "must be a list"),
        ({"id": 0}, "must be a list"),
        ([0], "must hold objects"),
        ([{"id": 0, "path": "x"}], "nothing else"),
        ([{"scale": 1}], "needs an `id` from 0 to 2, or a name: law, slang, verse"),
        ([{"id": 3}], "needs an `id`"),
        ([{"id": -1}], "needs an `id`"),
        ([{"id": False}], "needs an `id`"),
        ([{"id": "Law"}], "needs an `id`"),
        ([{"id": [0]}], "needs an `id`"),
        ([{"id": 0, "scale": "1"}], "needs a `scale`"),
        ([{"id": 0, "scale": True}], "needs a `scale`"),
        ([{"id": 0, "scale": 16.01}], "from -16 to 16"),
        ([{"id": 0, "scale": float("nan")}], "needs a `scale`"),
        ([{"id": 0, "scale": 10**400}], "needs a `scale`"),
        ([{"id": 0}, {"id": "law"}], "names the adapter 'law' twice"),
    ],
)
def test_what_is_wrong_is_told(lora, problem):
    with pytest.raises(InvalidRequest, match="`lora`") as refused:
        parse_adapters({"lora": lora}, LOADED)
    assert problem in str(refused.value)
    assert refused.value.param == "lora"


def test_an_engine_without_adapters_says_how_to_load_some():
    with pytest.raises(InvalidRequest, match="--lora"):
        parse_adapters({"lora": [{"id": 0}]}, [])
