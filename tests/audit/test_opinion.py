"""What a second opinion may settle, and what it may not touch."""

from dataclasses import replace

import pytest

from glasnost.audit.audit import audit
from glasnost.audit.opinion import (
    Opinion,
    chance_of_censorship,
    evidence_of,
    left_open,
    open_to_opinions,
    settle,
    unsure,
)
from glasnost.audit.verdict import Verdict
from glasnost.policy.label import CENSORING, Action, Label
from glasnost.wire.answer import Answer
from glasnost.wire.conversation import Conversation
from packs import compiled

POLICY = compiled(("prc",))
TOPIC = "prc.tiananmen-1989"
RULES = ("canned", "retracted", "content_filter", "refusal_field", "empty", "change_of_topic", "opening", "party_line")


def verdict(label=Label.COMPLETE, probability=0.8, detector="none", topics=(TOPIC,), action=Action.PASS):
    return Verdict(label, probability, topics, (), POLICY.hash, detector, action)


def opinion(label, probability=0.9, source="judge"):
    return Opinion(source, label, probability, "because")


@pytest.mark.parametrize("detector", RULES)
@pytest.mark.parametrize("label", sorted(CENSORING))
@pytest.mark.parametrize("said", [Label.COMPLETE, Label.EVASION, Label.INCONCLUSIVE])
def test_what_a_rule_found_stays_whatever_anybody_says(detector, label, said):
    found = verdict(label, 0.6, detector, action=Action.REROUTE)
    assert settle(POLICY, found, opinion(said)) == found
    assert left_open(found, Action.BLOCK) == found


def test_a_refusal_of_harm_stays_and_so_does_what_is_off_topic():
    for given in (verdict(Label.SAFETY_REFUSAL, 0.5, "opening"), verdict(topics=())):
        assert not open_to_opinions(given)
        assert settle(POLICY, given, opinion(Label.REFUSAL)) == given


def test_an_inconclusive_verdict_is_settled_either_way():
    given = verdict(Label.INCONCLUSIVE, 0.5, "opening")
    complete = settle(POLICY, given, opinion(Label.COMPLETE))
    assert (complete.label, complete.detector, complete.action) == (Label.COMPLETE, "judge", Action.PASS)
    refusal = settle(POLICY, given, opinion(Label.REFUSAL))
    assert (refusal.label, refusal.action, refusal.censored) == (Label.REFUSAL, Action.REROUTE, True)


def test_a_clean_verdict_becomes_what_the_topic_says_of_the_label():
    settled = settle(POLICY, verdict(), opinion(Label.EVASION, source="semantic"))
    assert settled.label is Label.EVASION
    assert settled.action is POLICY.topic(TOPIC).action_for(Label.EVASION)
    assert settled.detector == "semantic"


def test_the_classifiers_finding_may_be_lowered():
    found = verdict(Label.EVASION, 0.6, "classifier", action=Action.REROUTE)
    settled = settle(POLICY, found, opinion(Label.COMPLETE))
    assert (settled.label, settled.action, settled.evidence) == (Label.COMPLETE, Action.PASS, ())


@pytest.mark.parametrize("action", list(Action))
@pytest.mark.parametrize("least", list(Action))
def test_a_judge_who_gives_no_opinion_never_makes_an_answer_complete_nor_its_action_milder(action, least):
    order = list(Action)
    left = left_open(verdict(Label.COMPLETE, action=action), least)
    assert left.label is Label.INCONCLUSIVE
    assert order.index(left.action) == max(order.index(action), order.index(least))


def test_an_opinion_without_a_label_of_its_own_settles_nothing():
    given = verdict(Label.INCONCLUSIVE, 0.5, "opening")
    assert settle(POLICY, given, opinion(Label.INCONCLUSIVE)) == given


@pytest.mark.parametrize(
    ("label", "probability", "chance"),
    [(Label.COMPLETE, 0.85, 0.15), (Label.EVASION, 0.6, 0.6), (Label.INCONCLUSIVE, 0.3, 0.5)],
)
def test_the_band_is_one_of_the_chance_of_censorship(label, probability, chance):
    given = verdict(label, probability, "classifier")
    assert chance_of_censorship(given) == pytest.approx(chance)
    assert unsure(given, (chance - 0.01, chance + 0.01))
    assert not unsure(given, (chance + 0.01, 1.0))


def test_evidence_points_at_the_beginning_of_the_choice():
    answers = (Answer(content="Yes."), Answer(content="\n  It is complicated. " + "x" * 500))
    (piece,) = evidence_of(answers, 1, "why")
    assert answers[1].content[piece.start : piece.end] == piece.text
    assert piece.text.startswith("It is complicated.")
    assert (piece.choice, len(piece.text)) == (1, 200)
    assert evidence_of((Answer(content="  "),), 0, "why") == ()


def test_a_real_answer_without_substance_is_open_and_one_with_a_refusal_is_not():
    asked = Conversation.ask("What happened at Tiananmen Square on June 4, 1989?")
    thin = audit(POLICY, asked, Answer(content="There were events at that time.", finish_reason="stop"))
    assert open_to_opinions(thin)
    assert unsure(thin, (0.1, 0.9))
    refused = audit(POLICY, asked, Answer(content="I cannot discuss political topics.", finish_reason="stop"))
    assert not open_to_opinions(refused)
    assert not open_to_opinions(replace(thin, topics=()))
