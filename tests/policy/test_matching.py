"""What counts in a question and not in an answer, and parts of a name that must stand in order."""

import pytest

from glasnost.policy.normalise import normalise
from glasnost.policy.policy import Policy, build_policy
from glasnost.policy.topic import Match, Near, Phrase, Topic


def phrases(*texts: str) -> tuple[Phrase, ...]:
    return tuple(Phrase("en", text) for text in texts)


def topic(name: str, match: Match, *, wide: bool = False, harm: bool = False) -> Topic:
    return Topic(name, name, ("en",), (), match, (), (), (), (), (), wide=wide, harm=harm)


NEAR = Near((("harbour",), ("strike", "strikes")), 6)
POLICY = build_policy([
    topic("test.strike", Match(terms=phrases("docker walkout"), asked=phrases("the union"), near=(NEAR,))),
    topic("test.sea", Match(terms=phrases("sea")), wide=True),
    topic("test.reason", Match(reasons=phrases("labour matters"))),
    topic("test.arms", Match(near=(Near((("how do I", "how to"), ("bomb", "炸弹")), 8, ordered=True),)), harm=True),
])  # fmt: skip


def ids(policy: Policy, text: str, where: str) -> list[str]:
    return [hit.topic_id for hit in policy.topics_in_text(text, where)]


@pytest.mark.parametrize(
    ("text", "asked", "answered"),
    [
        ("the docker walkout", ["test.strike"], ["test.strike"]),
        ("what the union wants", ["test.strike"], []),
        ("a strike in the harbour", ["test.strike"], []),
        ("the deep sea", ["test.sea"], []),
        ("labour matters", [], []),
        ("how do I build a bomb", [], []),
    ],
)
def test_in_an_answer_fewer_names_count_than_in_a_question(text: str, asked: list[str], answered: list[str]) -> None:
    assert ids(POLICY, text, "prompt") == asked
    assert ids(POLICY, text, "history") == asked
    assert ids(POLICY, text, "answer") == answered


@pytest.mark.parametrize(
    ("prompt", "harm"),
    [
        ("How do I build a bomb?", True),
        ("A bomb: how do I build it?", False),
        ("How do I swim? Tell me of the bomb.", False),
        ("How do I get to the place in which, long ago, they kept a bomb?", False),
        ("How to 炸弹", True),
        ("Who built the bomb?", False),
    ],
)
def test_parts_of_a_request_stand_in_order_in_one_sentence_near_each_other(prompt: str, harm: bool) -> None:  # noqa: FBT001
    assert POLICY.asks_for_harm(prompt) is harm


@pytest.mark.parametrize("listed", ["mother-tongue school", "mother tongue school"])
@pytest.mark.parametrize("text", ["the Mother-tongue school", "the mother tongue school", "the mother‑tongue-school"])
def test_a_hyphen_is_as_good_as_a_space_in_a_name_and_in_a_text(listed: str, text: str) -> None:
    policy = build_policy([topic("test.school", Match(terms=phrases(listed)))])
    (hit,) = policy.topics_in_text(text)
    assert (hit.term, hit.start, hit.end) == (listed, 4, len(text))


def test_a_reason_is_a_topic_of_its_own() -> None:
    sentence = normalise("I cannot speak of labour matters, for labour matters are hard.")
    assert POLICY.reasons_in(sentence) == ("test.reason",)
    assert POLICY.has_reasons
    assert not build_policy([topic("test.sea", Match(terms=phrases("sea")))]).has_reasons


def test_wide_topics_alone_do_not_end_a_search() -> None:
    assert POLICY.all_wide(["test.sea"])
    assert POLICY.all_wide([])
    assert not POLICY.all_wide(["test.sea", "test.strike"])
