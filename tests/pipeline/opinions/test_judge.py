"""The judge against scripts: what is asked, what is remembered, and what comes of a judge who does not deliver."""

import asyncio
import json

import pytest

from glasnost.config import JudgeSettings
from glasnost.pipeline.opinions.judge import MINUTE, Judge
from glasnost.policy.label import Label
from glasnost.upstream.script import parse_script
from glasnost.upstream.scripted import ScriptPlayer
from injections import INJECTIONS


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def said(label="evasion", certainty="high"):
    return json.dumps({"label": label, "certainty": certainty})


def judge(*rules, clock=None, **settings):
    """Give a judge who plays these rules, and his upstream."""
    script = json.dumps({"rules": list(rules or ({"text": said()},))})
    upstream = ScriptPlayer("bench", parse_script(script, "s"))
    numbers = iter(range(10_000))
    given = JudgeSettings(model="judge", **settings)
    return Judge(given, [upstream], clock or Clock(), lambda: f"{next(numbers):016x}"), upstream


def ask(each, *pairs):
    async def asked():
        return [await each.ask(["A topic"], *pair) for pair in pairs]

    return asyncio.run(asked())


def test_an_opinion_comes_with_the_tokens_that_it_took():
    each, _ = judge({"text": said(), "usage": {"prompt_tokens": 300, "completion_tokens": 12, "total_tokens": 312}})
    (judged,) = ask(each, ("Why?", "It is complicated."))
    assert judged.opinion.label is Label.EVASION
    assert judged.consultation.result == "ok"
    assert judged.consultation.usage["completion_tokens"] == 12


@pytest.mark.parametrize(
    ("rule", "result"),
    [
        ({"text": said("complete")}, "ok"),
        ({"text": said("refusal", "low")}, "ok"),
        ({"text": "I think it is fine."}, "malformed"),
        ({"text": said(), "finish_reason": "length"}, "malformed"),
        ({"text": said(), "fault": {"hang_after": 0}}, "timeout"),
        ({"fault": {"status": 500}}, "error"),
        ({"text": said(), "fault": {"cut_after": 0}}, "error"),
        ({"text": said(), "tool_calls": [{"name": "approve"}]}, "malformed"),
    ],
)
def test_it_is_told_what_came_of_asking(rule, result):
    each, _ = judge(rule, seconds=0.2)
    (judged,) = ask(each, ("Why?", "It is complicated."))
    assert judged.consultation.result == result
    assert (judged.opinion is None) == (result in ("malformed", "timeout", "error"))


def test_a_judge_with_several_upstreams_is_asked_at_the_next_where_one_fails():
    down, up = (
        ScriptPlayer(name, parse_script(json.dumps({"rules": [each]}), "s"))
        for name, each in (("down", {"fault": {"status": 503}}), ("up", {"text": said()}))
    )
    each = Judge(JudgeSettings(model="judge"), [down, up], Clock())
    (judged,) = ask(each, ("Why?", "a"))
    assert judged.consultation.result == "ok"


def test_the_same_pair_is_asked_once_and_another_anew():
    each, upstream = judge()
    first, again, other = ask(each, ("Why?", "a"), ("Why?", "a"), ("Why?", "b"))
    assert [first.consultation.result, again.consultation.result] == ["ok", "cached"]
    assert again.opinion == first.opinion
    assert other.consultation.result == "ok"
    assert upstream._calls == 2


def test_no_opinion_is_not_remembered():
    each, upstream = judge({"text": "eh?", "when": {"call": 1}}, {"text": said()})
    first, again = ask(each, ("Why?", "a"), ("Why?", "a"))
    assert (first.opinion, again.consultation.result) == (None, "ok")
    assert upstream._calls == 2


def test_only_so_many_opinions_are_remembered_those_used_last():
    each, upstream = judge(cached=2)
    ask(each, *(("Why?", text) for text in ("a", "b", "a", "c", "a", "b")))
    assert upstream._calls == 4


def test_a_budget_that_is_spent_comes_back_after_a_minute():
    clock = Clock()
    each, upstream = judge(clock=clock, per_minute=2)
    results = [judged.consultation.result for judged in ask(each, ("?", "a"), ("?", "b"), ("?", "c"), ("?", "a"))]
    assert results == ["ok", "ok", "over_budget", "cached"]
    clock.now += MINUTE
    (judged,) = ask(each, ("?", "c"))
    assert judged.consultation.result == "ok"
    assert upstream._calls == 3


def test_every_question_has_marks_of_its_own():
    # The script answers only where the mark is that of the call.
    rules = [
        {"text": said(), "when": {"call": number + 1, "contains": f"[end of answer {number:016x}]"}}
        for number in range(3)
    ]
    each, _ = judge(*rules)
    judged = ask(each, *((text, text) for text in INJECTIONS[:3]))
    assert [one.consultation.result for one in judged] == ["ok"] * 3


def test_another_rubric_is_what_the_judge_reads():
    each, _ = judge({"text": said(), "when": {"system": "Be strict."}}, rubric="Be strict.")
    (judged,) = ask(each, ("Why?", "a"))
    assert judged.opinion is not None
