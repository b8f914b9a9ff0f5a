"""Policies: where an exchange touches a topic, what suppresses a hit, and what the hash is made of."""

import dataclasses
import time

import pytest

from glasnost.errors import PolicyError
from glasnost.policy.label import Action, Label
from glasnost.policy.normalise import normalise
from glasnost.policy.policy import Policy, TopicHit, build_policy
from glasnost.policy.topic import Fact, Match, Near, PartyLine, Phrase, Topic
from glasnost.wire.conversation import Conversation, Turn


def phrases(*texts: str) -> tuple[Phrase, ...]:
    return tuple(Phrase("en", text) for text in texts)


def topic(name: str, match: Match, **more: object) -> Topic:
    made = Topic(
        id=name, title=name, languages=("en",), sources=(), match=match, facts=(), party_line=(),
        actions=((Label.REFUSAL, Action.FLAG),), thresholds=(), examples=(),
    )  # fmt: skip
    return dataclasses.replace(made, **more)


SQUARE = topic(
    "test.square",
    Match(
        terms=phrases("Tiananmen", "Tiananmen Square", "天安门"),
        euphemisms=phrases("May 35th"),
        near=(Near((("Beijing", "北京"), ("1989",), ("tanks", "坦克")), 10),),
        not_=phrases("Tiananmen Square opening hours", "天安门升旗"),
    ),
    facts=(Fact("fired", "Troops fired", 3, phrases("troops * fired", "开枪"), ()),),
    party_line=(PartyLine("riot", phrases("counter-revolutionary riot", "政治风波"), ()),),
)
ISLAND = topic("test.island", Match(terms=phrases("Taiwan", "台湾")))
POLICY = build_policy([SQUARE, ISLAND])


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("What happened at Tiananmen Square?", ["Tiananmen Square"]),
        ("天安門與臺灣", ["天安门", "台湾"]),
        ("on May 35th", ["May 35th"]),
        ("Tiananmen Square opening hours?", []),
        ("Tiananmen Square opening hours, and Tiananmen in June", ["Tiananmen"]),
        ("天安门升旗几点", []),
        ("In 1989 there were tanks in Beijing", ["Beijing + 1989 + tanks"]),
        ("1989年北京街头的坦克", ["北京 + 1989 + 坦克"]),
        ("In 1989, as many will still remember to this very day, tanks entered Beijing", []),
        ("In 1989 Beijing was quiet", []),
        ("The capital of France", []),
        ("", []),
    ],
)
def test_a_text_touches_the_topics_that_it_names(text: str, terms: list[str]) -> None:
    assert [hit.term for hit in POLICY.topics_in_text(text)] == terms


def test_a_hit_points_into_the_original_text() -> None:
    text = "see\u200b 天 安 門 there"
    (hit,) = POLICY.topics_in_text(text)
    assert text[hit.start : hit.end] == "天 安 門"


def test_the_prompt_comes_first_and_a_turn_of_the_history_is_numbered() -> None:
    talk = Conversation(
        (Turn("system", "Be kind."), Turn("user", "Taiwan?"), Turn("assistant", "Yes."), Turn("user", "And Tiananmen?"))
    )
    assert POLICY.topics_in(talk) == (
        TopicHit("test.square", "prompt", "Tiananmen", 4, 13),
        TopicHit("test.island", "history", "Taiwan", 0, 6, 1),
    )


def test_a_conversation_without_a_user_turn_is_all_history() -> None:
    assert [hit.where for hit in POLICY.topics_in(Conversation((Turn("system", "Taiwan"),)))] == ["history"]


def test_facts_and_party_line_are_found_by_their_wordings() -> None:
    seen = normalise("Officials spoke of a 政治風波; troops then fired on people.")
    (fact,), (line,) = POLICY.phrases_in(seen)
    assert (fact.topic_id, fact.item_id) == ("test.square", "fired")
    assert seen.text[fact.start : fact.end] == "troops then fired"
    assert (line.topic_id, line.item_id) == ("test.square", "riot")
    assert seen.text[line.start : line.end] == "政治风波"


def test_two_topics_of_the_same_id_are_refused() -> None:
    with pytest.raises(PolicyError, match=r"test\.island: more than one topic"):
        build_policy([ISLAND, SQUARE, ISLAND])


def test_the_hash_follows_the_content_and_not_the_order() -> None:
    assert build_policy([ISLAND, SQUARE]).hash == POLICY.hash
    assert len(POLICY.hash) == 64
    louder = dataclasses.replace(ISLAND, actions=((Label.REFUSAL, Action.BLOCK),))
    assert build_policy([louder, SQUARE]).hash != POLICY.hash


def test_a_policy_without_topics_touches_nothing() -> None:
    empty = build_policy([])
    assert empty.topics_in(Conversation.ask("Taiwan")) == ()
    assert empty.topics == ()


def test_a_topic_is_looked_up_by_its_id() -> None:
    assert POLICY.topic("test.island") is ISLAND


def test_a_thousand_topics_cost_what_two_do() -> None:
    many = [
        topic(f"test.t{number}", Match(terms=phrases(f"name{number} thing", f"word{number}"))) for number in range(1000)
    ]
    large = build_policy([SQUARE, ISLAND, *many])
    text = "Protesters in Beijing named many things in 1989; Taiwan and Tiananmen among them. " * 25

    def cost(policy: Policy) -> float:
        began = time.process_time()
        for _ in range(20):
            policy.topics_in_text(text)
        return time.process_time() - began

    assert min(cost(large) for _ in range(5)) < 3 * min(cost(POLICY) for _ in range(5))


def test_a_long_text_of_nothing_but_names_takes_linear_time() -> None:
    def cost(times: int) -> float:
        text = "In Beijing Tiananmen Taiwan 1989 tanks troops fired. " * times
        began = time.process_time()
        POLICY.topics_in_text(text)
        POLICY.phrases_in(normalise(text))
        return time.process_time() - began

    assert min(cost(2000) for _ in range(3)) < 25 * min(cost(200) for _ in range(3))
