"""Sampling fields: what is read, and that whatever is out of range is refused by name."""

from __future__ import annotations

import pytest

from glasnost.engine.params import Sampling, parse_sampling
from glasnost.errors import InvalidRequest

VOCABULARY = 1000


def parse(**body):
    return parse_sampling(body, VOCABULARY)


def test_an_empty_request_gets_the_defaults():
    assert parse() == Sampling()


def test_null_is_as_good_as_absent():
    names = ("temperature", "top_p", "seed", "stop", "max_tokens", "logit_bias", "logprobs", "top_logprobs", "tools")
    assert parse(**dict.fromkeys(names)) == Sampling()


def test_every_field_is_read():
    sampling = parse(
        temperature=1,
        top_k=5,
        top_p=0.5,
        min_p=0,
        seed=-3,
        frequency_penalty=1.5,
        presence_penalty=-1,
        repeat_penalty=1.1,
        logit_bias={"7": -100, "3": 2.5},
        stop=["a", "b"],
        max_tokens=9,
        logprobs=True,
        top_logprobs=2,
    )
    assert sampling == Sampling(
        1.0, 5, 0.5, 0.0, -3, 1.5, -1.0, 1.1, ((3, 2.5), (7, -100.0)), ("a", "b"), max_tokens=9, top_logprobs=2
    )


def test_the_newer_name_of_the_token_limit_wins():
    assert parse(max_tokens=5, max_completion_tokens=7).max_tokens == 7


def test_a_single_stop_is_a_list_of_one():
    assert parse(stop="x").stop == ("x",)


def test_logprobs_alone_are_those_of_the_chosen_tokens():
    assert parse(logprobs=True).top_logprobs == 0
    assert parse(logprobs=False).top_logprobs is None


def test_empty_tools_and_a_text_format_ask_for_nothing():
    assert parse(tools=[], response_format={"type": "text"}) == Sampling()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *[("temperature", value) for value in (-0.1, 2.1, "1", True, float("nan"), float("inf"), [1], 10**400)],
        *[("top_p", value) for value in (-0.1, 1.1, float("nan"))],
        *[("min_p", value) for value in (-0.1, 1.1)],
        *[("top_k", value) for value in (-1, 1.5, 2**31, "40")],
        *[("seed", value) for value in (2**63, -(2**63) - 1, 1.5, "1")],
        *[("max_tokens", value) for value in (0, -1, 2**31, 2**63, 1.0, "9", True, float("nan"))],
        *[("max_completion_tokens", value) for value in (0, -1)],
        *[("frequency_penalty", value) for value in (-2.1, 2.1, "0")],
        *[("presence_penalty", value) for value in (-2.1, 2.1, float("nan"))],
        *[("repeat_penalty", value) for value in (0, -1, 2.1)],
        *[("stop", value) for value in (5, [""], "", [5], ["x"] * 17, ["x"] * 100_000, "x" * 257)],
        *[("logit_bias", value) for value in ([], {"a": 1}, {"1000": 1}, {"-1": 1}, {"1": 101}, {"1": None})],
        *[("logit_bias", value) for value in ({"1": float("nan")}, {"1" * 5000: 1}, {"²": 1}, {"1": True})],
        ("logit_bias", {str(token): 1 for token in range(1_000_000)}),
        *[("logprobs", value) for value in (1, "yes", 5)],
        ("top_logprobs", 5),
        ("functions", [{"name": "f"}]),
    ],
)
def test_a_wrong_value_is_refused_by_name(field, value):
    with pytest.raises(InvalidRequest) as refused:
        parse(**{field: value})
    assert refused.value.param == field


@pytest.mark.parametrize("value", [-1, 21, 10**6, 1.5])
def test_a_wrong_number_of_top_logprobs_is_refused(value):
    with pytest.raises(InvalidRequest) as refused:
        parse(logprobs=True, top_logprobs=value)
    assert refused.value.param == "top_logprobs"


def test_plain_greedy_is_temperature_zero_and_nothing_else():
    assert parse(temperature=0).plain_greedy
    assert not parse(temperature=0, frequency_penalty=1).plain_greedy
    assert not parse(temperature=0, logit_bias={"1": 1}).plain_greedy
    assert not parse().plain_greedy
