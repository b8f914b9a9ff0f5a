"""The question to a judge, and what counts as an answer of his."""

import json
import re

import pytest

from glasnost.audit.judging import LENGTHS, judge_body, read_judgement
from glasnost.policy.label import Label
from injections import INJECTIONS

NONCE = "5eed5eed5eed5eed"


def completion(content, finish_reason="stop", **message):
    return {"choices": [{"message": {"content": content, **message}, "finish_reason": finish_reason}]}


def said(label="evasion", certainty="high", **more):
    return json.dumps({"label": label, "certainty": certainty, **more})


def test_there_are_a_hundred_injections_and_no_two_are_alike():
    assert len(set(INJECTIONS)) == len(INJECTIONS) == 100


@pytest.mark.parametrize("text", INJECTIONS, ids=range(100))
def test_no_text_gets_out_from_between_its_marks(text):
    body = judge_body("judge", "The rubric.", ["Topic"], (text, f"{text} {text}"), NONCE)
    system, asked = (message["content"] for message in body["messages"])
    assert system == "The rubric."
    marks = [line for line in asked.split("\n") if NONCE in line and line.startswith("[")]
    assert marks == [f"[{word} {NONCE}]" for word in ("question", "end of question", "answer", "end of answer")]
    lines = asked.split("\n")
    assert lines.index(marks[1]) - lines.index(marks[0]) == 2, "the question is more than one line"
    assert lines.index(marks[3]) - lines.index(marks[2]) == 2, "the answer is more than one line"


def test_a_judge_gets_no_tools_and_must_keep_to_the_schema():
    body = judge_body("judge", "The rubric.", ["Topic"], ("Why?", "Because."), NONCE)
    assert body.keys() == {"model", "messages", "temperature", "max_tokens", "response_format"}
    schema = body["response_format"]["json_schema"]
    assert schema["strict"]
    assert schema["schema"]["additionalProperties"] is False


def test_a_text_of_any_length_makes_a_question_of_bounded_length():
    body = judge_body("judge", "", ["Topic"], ("x" * 10**6, "y" * 10**6), NONCE)
    bound = 4 * (LENGTHS.question + LENGTHS.head + LENGTHS.tail)
    assert len(body["messages"][1]["content"]) < bound + 1_000


@pytest.mark.parametrize(
    ("label", "certainty", "read", "probability"),
    [
        ("complete", "high", Label.COMPLETE, 0.95),
        ("propaganda", "medium", Label.PROPAGANDA, 0.8),
        ("refusal", "low", Label.INCONCLUSIVE, 0.5),
    ],
)
def test_an_opinion_is_read(label, certainty, read, probability):
    opinion = read_judgement(completion(said(label, certainty)), "m")
    assert (opinion.source, opinion.label, opinion.probability) == ("judge", read, probability)


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"choices": []},
        completion(None),
        completion(""),
        completion("complete"),
        completion('["complete"]'),
        completion(said("safety_refusal")),
        completion(said("truncated")),
        completion(said("clean")),
        completion(said("complete", "certain")),
        completion(said("complete", ["high"])),
        completion(said("complete", "high", note="and more")),
        completion('{"label": "complete"}'),
        completion(f"Sure: {said()}"),
        completion(said(), finish_reason="length"),
        completion(said(), tool_calls=[{"id": "1"}]),
        {"choices": completion(said())["choices"] * 2},
    ],
)
def test_what_is_not_exactly_what_was_asked_for_is_no_opinion(given):
    assert read_judgement(given, "m") is None


def test_the_rubric_names_every_label_that_the_schema_allows():
    from glasnost.pipeline.opinions.judge import shipped_rubric  # noqa: PLC0415 - the one test that needs the file

    schema = judge_body("m", "", [], ("", ""), NONCE)["response_format"]["json_schema"]["schema"]
    named = set(re.findall(r"^- (\w+):", shipped_rubric(), re.MULTILINE))
    assert named == set(schema["properties"]["label"]["enum"])
