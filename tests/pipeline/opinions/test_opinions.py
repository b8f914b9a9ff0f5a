"""Who is asked about which verdict: narrow topics only, and a head only on what it was trained on."""

import asyncio
import json

import pytest

from glasnost.audit.verdict import Verdict
from glasnost.config import JudgeSettings
from glasnost.pipeline.opinions.judge import Judge
from glasnost.pipeline.opinions.opinions import Opinions
from glasnost.policy.label import Action, Label
from glasnost.upstream.script import parse_script
from glasnost.upstream.scripted import ScriptPlayer
from glasnost.wire.answer import Answer
from packs import compiled

POLICY = compiled(("prc",))
NARROW, WIDE = "prc.tiananmen-1989", "prc.china"
ANSWERS = (Answer(content="It is a large square."),)


def opinions(label="evasion", band=(0.1, 0.9)):
    script = json.dumps({"rules": [{"text": json.dumps({"label": label, "certainty": "high"})}]})
    bench = ScriptPlayer("bench", parse_script(script, "s"))
    judge = Judge(JudgeSettings(model="referee"), [bench], lambda: 0.0)
    return Opinions(band, None, judge, Action.FLAG)


def settled(each, *, topics=(NARROW,), probability=0.8, answers=ANSWERS, model="asked"):
    given = Verdict(Label.COMPLETE, probability, topics, (), POLICY.hash, "none", Action.PASS)
    return asyncio.run(each.on(POLICY, given, "Why?", answers, model))


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        (True, {}),
        (True, {"topics": (WIDE, NARROW)}),
        (False, {"topics": (WIDE,)}),
        (False, {"topics": ()}),
        (False, {"probability": 0.95}),
        (False, {"answers": (Answer(content=" ", reasoning="Hm."),)}),
        (False, {"model": "referee"}),
    ],
)
def test_a_judge_is_asked_about_what_is_unsure_on_a_narrow_topic_and_never_about_his_own(asked, given):
    found = settled(opinions(), **given)
    assert bool(found.consulted) is asked
    assert (found.verdict.label is Label.EVASION) is asked


def test_an_opinion_on_any_choice_that_it_is_censored_counts_and_points_there():
    both = (Answer(content="Troops fired."), Answer(content="Look elsewhere."))
    found = settled(opinions(), answers=both)
    assert len(found.consulted) == 2
    assert found.verdict.evidence[0].choice == 0
    assert settled(opinions("complete"), answers=both).verdict.label is Label.COMPLETE
