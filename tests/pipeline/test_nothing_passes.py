"""When no answer passes: the best one goes out flagged, or nothing does, as the topics say."""

from dataclasses import replace

import pytest

from glasnost.pipeline.complete import WITHHELD
from glasnost.policy.label import Action
from glasnost.policy.policy import build_policy
from house import POLICY, REFUSAL, House

CONFIG = """
upstreams: {gagged: {kind: scripted, script: a}, open: {kind: scripted, script: b}}
models:
  asked: {upstream: gagged, ladder: [{rung: reframe}, {rung: model, model: other}]}
  other: {upstream: open}
"""
BLOCKING = build_policy(replace(topic, otherwise=Action.BLOCK) for topic in POLICY.topics)
# By the rules: a refusal in the first sentence is surer than one at the end of a short answer.
SURE = REFUSAL
LESS_SURE = "The square is in Beijing. It is large. I'm sorry, but I cannot discuss this further."
DOWN = [{"fault": {"status": 503, "error": {"message": "Down."}}}]
both = pytest.mark.parametrize("stream", [False, True])


def house(first, reframed, other, policy=POLICY):
    rules = [{"when": {"system": "encyclopaedia"}, **each} for each in reframed]
    return House(CONFIG, policy=policy, gagged=[*rules, {"text": first}], open=other)


@both
@pytest.mark.parametrize(
    ("answers", "served_by"),
    [
        ((LESS_SURE, SURE, SURE), "asked"),
        ((SURE, LESS_SURE, SURE), "asked"),
        ((SURE, SURE, LESS_SURE), "other"),
    ],
)
def test_the_best_of_all_answers_goes_out_flagged_whenever_it_came(stream, answers, served_by):
    first, reframed, other = answers
    each = house(first, [{"text": reframed, "split": 6}], [{"text": other, "split": 6}])
    text, glasnost = each.ask(stream=stream)
    assert text == LESS_SURE
    assert (glasnost["action"], glasnost["served_by"]) == ("flag", served_by)
    assert len(glasnost["attempts"]) == 3


@both
def test_of_equal_answers_the_first_goes_out(stream):
    each = house(SURE, [{"text": SURE}], [{"text": SURE}])
    text, glasnost = each.ask(stream=stream)
    assert (text, glasnost["action"], glasnost["served_by"]) == (SURE, "flag", "asked")


@both
def test_an_answer_that_was_kept_goes_out_when_the_other_rungs_fail(stream):
    each = house(LESS_SURE, DOWN, DOWN)
    text, glasnost = each.ask(stream=stream)
    assert (text, glasnost["action"], glasnost["served_by"]) == (LESS_SURE, "flag", "asked")
    assert len(each.heard["gagged"].requests) == 2


@both
@pytest.mark.parametrize("other", [[{"text": SURE}], DOWN])
def test_nothing_goes_out_where_a_topic_says_so(stream, other):
    each = house(LESS_SURE, [{"text": SURE}], other, BLOCKING)
    text, glasnost = each.ask(stream=stream)
    assert (text, glasnost["action"], glasnost["served_by"]) == (WITHHELD, "block", "")
    assert glasnost["label"] == "refusal"


@both
def test_an_answer_that_passes_goes_out_whatever_a_topic_says_otherwise(stream):
    each = house(SURE, [{"text": "Troops fired on unarmed protesters on 4 June 1989."}], DOWN, BLOCKING)
    _, glasnost = each.ask(stream=stream)
    assert glasnost["action"] == "reroute"
