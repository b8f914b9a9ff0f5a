"""What a client wants of thinking, in the variables of the template."""

from __future__ import annotations

import pytest

from glasnost.engine.effort import parse_wish
from glasnost.errors import InvalidRequest

QWEN = {"enable_thinking"}
DEEPSEEK = {"thinking"}
GPT_OSS = {"reasoning_effort"}


@pytest.mark.parametrize(
    ("body", "known", "variables", "thinking"),
    [
        ({}, QWEN, {}, None),
        ({"reasoning_effort": None, "thinking": None}, QWEN, {}, None),
        ({"reasoning_effort": "none"}, QWEN, {"enable_thinking": False}, False),
        ({"reasoning_effort": "minimal"}, QWEN, {"enable_thinking": True}, True),
        ({"reasoning_effort": "high"}, DEEPSEEK, {"thinking": True}, True),
        ({"reasoning_effort": "high"}, GPT_OSS, {"reasoning_effort": "high"}, True),
        ({"reasoning_effort": "high"}, set(), {}, True),
        ({"enable_thinking": False}, DEEPSEEK, {"thinking": False}, False),
        ({"thinking": {"type": "disabled", "budget_tokens": 9}}, QWEN, {"enable_thinking": False}, False),
        ({"thinking": {"type": "enabled"}}, QWEN, {"enable_thinking": True}, True),
        ({"enable_thinking": True, "reasoning_effort": "none"}, QWEN, {"enable_thinking": True}, True),
        (
            {"chat_template_kwargs": {"enable_thinking": False}, "enable_thinking": True},
            DEEPSEEK,
            {"enable_thinking": False, "thinking": False},
            False,
        ),
        (
            {"chat_template_kwargs": {"reasoning_effort": "max", "x": 1}, "reasoning_effort": "low"},
            GPT_OSS,
            {"reasoning_effort": "max", "x": 1},
            True,
        ),
    ],
)
def test_a_wish_reaches_the_template_under_the_name_it_knows(body, known, variables, thinking):
    wish = parse_wish(body, known)
    assert (wish.variables, wish.thinking) == (variables, thinking)


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"reasoning_effort": "extreme"}, "reasoning_effort"),
        ({"reasoning_effort": 3}, "reasoning_effort"),
        ({"reasoning_effort": []}, "reasoning_effort"),
        ({"enable_thinking": "no"}, "enable_thinking"),
        ({"thinking": {"type": "adaptive"}}, "thinking"),
        ({"thinking": 0}, "thinking"),
        ({"chat_template_kwargs": {"enable_thinking": "false"}}, "chat_template_kwargs.enable_thinking"),
        ({"chat_template_kwargs": {"thinking": 1}}, "chat_template_kwargs.thinking"),
        ({"chat_template_kwargs": []}, "chat_template_kwargs"),
        ({"chat_template_kwargs": "x"}, "chat_template_kwargs"),
    ],
)
def test_a_wish_that_cannot_be_read_is_refused(body, param):
    with pytest.raises(InvalidRequest) as refused:
        parse_wish(body, QWEN)
    assert refused.value.param == param
