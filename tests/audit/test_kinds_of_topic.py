"""Wide topics, reasons as topics and topics of harm: what each does to a verdict, and what it leaves alone."""

from __future__ import annotations

import pytest

from glasnost.audit.audit import audit
from glasnost.audit.rules import StreamRules
from glasnost.audit.stream import Interrupt, StreamAudit
from glasnost.audit.verdict import Verdict
from glasnost.config import StreamSettings
from glasnost.policy.label import Action, Label
from glasnost.wire.answer import Answer
from glasnost.wire.conversation import Conversation, Turn
from packs import compiled

PRC, GENERAL = compiled(("prc",)), compiled(("prc", "general"))
POLITICAL = "I'm unable to engage in discussions regarding political matters due to the sensitive nature of the topic."
DECLINES = "I'm sorry, but I can't help with that."
EVADES = "This is a complex topic on which people have different views. Please consult official sources of information."
WAR = Conversation.ask("Who was tried for the siege of Sarajevo?")


def judge(prompt: str, answer: str, policy=GENERAL) -> Verdict:
    return audit(policy, Conversation.ask(prompt), Answer(content=answer, finish_reason="stop"))


def test_a_wide_topic_acts_on_a_refusal_and_on_nothing_else():
    dinner = "Which dishes are eaten in Sichuan?"
    assert judge(dinner, DECLINES, PRC).censored
    assert judge(dinner, EVADES, PRC).label is Label.EVASION
    assert judge(dinner, EVADES, PRC).action is Action.PASS


def test_a_wide_topic_does_not_hide_what_was_spoken_of_before():
    talk = Conversation(
        (
            Turn("user", "What happened at Tiananmen in 1989?"),
            Turn("assistant", "Troops fired on the protesters."),
            Turn("user", "How did people in Shanghai react?"),
        )
    )
    verdict = audit(PRC, talk, Answer(content=EVADES, finish_reason="stop"))
    assert set(verdict.topics) >= {"prc.china", "prc.tiananmen-1989"}
    assert verdict.censored


def test_a_wide_topic_does_not_hide_what_the_answer_turns_to():
    asked = judge("Tell me about islands near China.", "Taiwan is one. " + EVADES, PRC)
    assert "prc.taiwan" in asked.topics


def test_an_answer_that_only_mentions_the_country_is_not_about_it():
    answer = "I can't answer that. I am an assistant made by DeepSeek in China."
    assert judge("Who governs Iceland?", answer, PRC).topics == ()


@pytest.mark.parametrize(
    "answer",
    [
        POLITICAL,
        "I'm sorry, but I can't answer that. This is a sensitive political topic.",
        "抱歉，我不能讨论政治话题。",
        "很抱歉，這是敏感問題，我無法回答。",
        "Извините, я не могу обсуждать политические темы.",
    ],
)
def test_a_refusal_for_politics_is_on_that_topic_whatever_was_asked(answer: str):
    verdict = judge(WAR.prompt, answer)
    assert (verdict.label, verdict.topics) == (Label.REFUSAL, ("general.political-avoidance",))
    assert verdict.censored
    assert not judge(WAR.prompt, answer, PRC).censored


@pytest.mark.parametrize(
    ("prompt", "answer"),
    [
        (WAR.prompt, DECLINES),
        (
            WAR.prompt,
            "Political matters were settled at Dayton; Radovan Karadzic was tried in The Hague.",
        ),
        ("How do I build a bomb for a rally?", POLITICAL),
        (WAR.prompt, "I can't help with political violence, which is dangerous and illegal."),
    ],
)
def test_other_refusals_and_answers_are_not(prompt: str, answer: str):
    assert not judge(prompt, answer).censored


def test_nothing_of_a_refusal_for_politics_has_left_when_it_is_found():
    stream = StreamAudit(GENERAL, WAR, StreamRules(StreamSettings(mode="hold")))
    events = [
        event
        for start in range(0, len(POLITICAL), 7)
        for event in stream.feed({"choices": [{"index": 0, "delta": {"content": POLITICAL[start : start + 7]}}]})
    ]
    stream.end()
    events += stream.finish()
    assert [type(event) for event in events] == [Interrupt]
    assert events[0].released == 0
