"""A head: its file is checked, and what it reads in a vector is what was written into it."""

import json
import math

import pytest

from glasnost.audit.head import parse_head
from glasnost.errors import ModelFileError
from glasnost.policy.label import Label
from heads import SHA256, head_text


def test_a_head_reads_the_odds_of_censorship_and_the_likeliest_kind():
    head = parse_head(head_text(), "h.json")
    assert (head.sha256, head.width) == (SHA256, 2)
    evasive, full = head.read([0.0, 1.0]), head.read([1.0, 0.0])
    assert (evasive.label, evasive.log_odds) == (Label.EVASION, pytest.approx(8.0))
    assert full.log_odds == pytest.approx(-8.0)


def test_odds_are_those_of_all_censoring_labels_together():
    labels = ["complete", "refusal", "evasion"]
    text = head_text((0.0, 0.0, 1.0, 0.0, 0.5, 0.0), labels=labels, bias=[0.0, 0.0, 0.0])
    reading = parse_head(text, "h.json").read([1.0, 0.0])
    assert reading.log_odds == pytest.approx(math.log(math.exp(1.0) + math.exp(0.5)))
    assert reading.label is Label.REFUSAL


def test_the_chance_before_and_the_reading_become_one():
    head = parse_head(head_text(), "h.json")
    assert head.chance(0.5, 0.0) == pytest.approx(0.5)
    assert head.chance(0.5, 8.0) > 0.99
    assert head.chance(0.1, 0.0) == 0.25
    assert 0.0 <= head.chance(0.0, -1e6) < 1e-9
    assert head.chance(1.0, 1e6) == 1.0


def test_the_pair_is_cut_and_a_question_cannot_take_the_answers_place():
    head = parse_head(head_text(), "h.json")
    assert head.pair("What of {answer}?", "All is {question}.") == "Q: What of {answer}?\nA: All is {question}.\nIt"
    assert len(head.pair("x" * 1_000, "y" * 1_000)) < 200


def test_a_head_knows_the_topics_of_the_packs_that_it_was_trained_on():
    head = parse_head(head_text(), "h.json")
    assert head.knows(["general.politics", "prc.taiwan"])
    assert not head.knows(["ru.ukraine", "prcx.taiwan"])
    assert not head.knows([])


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"schema": "glasnost/head/v2"}, "schema"),
        ({"model": {"name": "m", "sha256": "short"}}, "model.sha256"),
        ({"labels": ["refusal", "evasion"]}, "labels must hold complete"),
        ({"labels": ["complete", "fine"]}, "labels.1"),
        ({"bias": [0.0]}, "bias must have a number for each label"),
        ({"bias": [0.0, float("inf")]}, "bias.1"),
        ({"text": "Q: {question}"}, "text must hold {answer} once"),
        ({"weights": "not base64"}, "not base64 of float32"),
        ({"weights": "AAAA"}, "not base64 of float32"),
        ({"weights": ""}, "do not make a row for each label"),
        ({"weights": "AADAfwAAwH8="}, "not all of them are numbers"),
        ({"packs": []}, "packs"),
        ({"extra": 1}, "extra"),
    ],
)
def test_a_file_that_is_no_head_is_refused_with_what_is_wrong(fields, told):
    with pytest.raises(ModelFileError, match=r"h\.json is no head of a semantic tier") as raised:
        parse_head(head_text(**fields), "h.json")
    assert told in str(raised.value)


def test_weights_that_do_not_fill_their_rows_are_refused():
    with pytest.raises(ModelFileError, match="do not make a row for each label"):
        parse_head(head_text((1.0, 2.0, 3.0)), "h.json")
    with pytest.raises(ModelFileError):
        parse_head("{", "h.json")
    with pytest.raises(ModelFileError):
        parse_head(json.dumps([]), "h.json")
