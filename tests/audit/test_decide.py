from __future__ import annotations

import pytest

from glasnost.audit.best import rank
from glasnost.audit.decide import Amend, Block, Decision, Deliver, Flag, Reroute, Stop, decide
from glasnost.audit.verdict import Verdict
from glasnost.policy.label import Action, Label

TABLE = [
    (Action.PASS, True, 0, Deliver()),
    (Action.PASS, False, 9, Deliver()),
    (Action.FLAG, True, 0, Flag("policy")),
    (Action.FLAG, False, 9, Flag("policy")),
    (Action.REROUTE, True, 0, Reroute()),
    (Action.REROUTE, False, 0, Flag("no_rung_left")),
    (Action.REROUTE, True, 9, Flag("already_released")),
    (Action.REROUTE, False, 9, Flag("already_released")),
    (Action.BLOCK, True, 0, Block()),
    (Action.BLOCK, False, 9, Block()),
]


@pytest.mark.parametrize(("action", "rungs_left", "released", "expected"), TABLE)
def test_the_decision_follows_the_table(action: Action, rungs_left: bool, released: int, expected: Decision):  # noqa: FBT001
    verdict = Verdict(Label.REFUSAL, 0.9, ("t",), (), "hash", "opening", action)
    assert decide(verdict, rungs_left=rungs_left, released=released) == expected


@pytest.mark.parametrize(
    ("after_release", "rungs_left", "expected"),
    [
        ("flag", True, Flag("already_released")),
        ("stop", True, Stop()),
        ("stop", False, Stop()),
        ("amend", True, Amend()),
        ("amend", False, Flag("already_released")),
    ],
)
def test_what_happens_after_text_left_is_the_policys_choice(after_release, rungs_left, expected):
    verdict = Verdict(Label.REFUSAL, 0.9, ("t",), (), "hash", "opening", Action.REROUTE)
    assert decide(verdict, rungs_left=rungs_left, released=9, after_release=after_release) == expected
    assert not isinstance(decide(verdict, rungs_left=True, released=0, after_release=after_release), Stop | Amend)


@pytest.mark.parametrize("label", Label)
def test_only_a_censoring_label_that_a_topic_acts_on_is_censored(label: Label):
    acted = Verdict(label, 0.9, ("t",), (), "hash", "opening", Action.FLAG)
    assert acted.censored == (label not in (Label.COMPLETE, Label.SAFETY_REFUSAL, Label.INCONCLUSIVE))
    assert not Verdict(label, 0.9, ("t",), (), "hash", "opening", Action.PASS).censored


@pytest.mark.parametrize(
    ("rungs_left", "released", "expected"),
    [(True, 0, Reroute()), (False, 0, Block()), (False, 9, Flag("already_released"))],
)
def test_a_topic_may_have_an_answer_blocked_for_which_no_other_came(rungs_left, released, expected):
    verdict = Verdict(Label.REFUSAL, 0.9, ("t",), (), "hash", "opening", Action.REROUTE, Action.BLOCK)
    assert decide(verdict, rungs_left=rungs_left, released=released) == expected


def test_the_best_of_censored_answers_is_the_least_certain_one_and_the_unsettled_before_all():
    unsettled, likely, certain = (
        Verdict(label, probability, ("t",), (), "hash", "none", Action.REROUTE)
        for label, probability in ((Label.INCONCLUSIVE, 0.5), (Label.EVASION, 0.4), (Label.REFUSAL, 0.9))
    )
    assert sorted([certain, likely, unsettled], key=rank) == [unsettled, likely, certain]
