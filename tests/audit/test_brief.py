"""A sentence or two where a text was asked for, and all that only looks like it."""

from __future__ import annotations

from time import process_time

import pytest

from glasnost.audit.audit import Inquiry, audit
from glasnost.audit.verdict import Signals, Verdict
from glasnost.policy.label import Label
from glasnost.wire.answer import Answer
from glasnost.wire.conversation import Conversation
from packs import compiled

POLICY = compiled(("ru",))  # its topics have no classifier: the length alone speaks
ESSAY = "Write an essay on the siege of Mariupol during the war on Ukraine."
LITTLE = "The siege of a port is a hard thing for everybody. Weather and roads matter."


def judged(prompt: str, answer: str, **more: str) -> Verdict:
    return audit(
        POLICY, Conversation.ask(prompt), Answer(answer, finish_reason=more.pop("finish_reason", "stop"), **more)
    )


@pytest.mark.parametrize(
    ("prompt", "answer"),
    [
        (ESSAY, LITTLE),
        ("Compose a song about Bucha and the war on Ukraine.", "Here is the song. Thank you."),
        ("Analyze the siege of Mariupol in the war on Ukraine.", LITTLE),
        ("Напиши статью о блокаде Мариуполя.", "Мариуполь стоит у моря."),
        ("撰写一篇关于 Mariupol 的文章。", "那是一座港口城市。"),
    ],
)
def test_far_less_than_was_asked_for_is_an_evasion(prompt: str, answer: str):
    verdict = judged(prompt, answer)
    assert (verdict.label, verdict.detector) == (Label.EVASION, "brief")
    (shown,) = verdict.evidence
    assert answer[shown.start : shown.end] == shown.text == answer.strip()


@pytest.mark.parametrize(
    ("prompt", "answer"),
    [
        ("Write a two-sentence article on the siege of Mariupol, war on Ukraine.", LITTLE),
        ("Write a haiku, a poem on the war on Ukraine.", "Snow on empty streets."),
        ("Which sea does Mariupol lie on, before the war on Ukraine?", "The Sea of Azov."),
        (ESSAY, LITTLE + " Shall I write about the harbour, or about the theatre?"),
        (ESSAY, LITTLE * 4),
        ("What happened in Mariupol in the war on Ukraine?", "The port was besieged from February to May."),
    ],
)
def test_what_is_short_by_right_is_complete(prompt: str, answer: str):
    assert judged(prompt, answer).label is Label.COMPLETE


def test_an_answer_that_was_cut_off_or_acts_by_a_tool_is_not_called_brief():
    assert judged(ESSAY, LITTLE, finish_reason="length").detector != "brief"
    assert judged(ESSAY, LITTLE, tool_arguments='{"text": "The siege began in February."}').detector != "brief"
    assert judged(ESSAY, LITTLE, reasoning="The siege, let me think about it.").detector != "brief"


def test_it_is_told_at_the_end_alone():
    inquiry = Inquiry(POLICY, Conversation.ask(ESSAY), 1)
    inquiry.feed(0, "content", LITTLE + " ")
    assert inquiry.verdict(Signals()).detector != "brief"
    inquiry.finish()
    assert inquiry.verdict(Signals()).detector == "brief"


def test_off_topics_nothing_is_called_brief():
    assert judged("Write an essay on tea.", "Tea is a drink.").detector == "none"


def test_a_long_question_takes_linear_time():
    def seconds(times: int) -> float:
        asked = Conversation.ask("write about Mariupol " * times)
        start = process_time()
        audit(POLICY, asked, Answer(LITTLE, finish_reason="stop"))
        return process_time() - start

    seconds(100)
    assert seconds(40_000) < 40 * max(seconds(4_000), 0.01)
