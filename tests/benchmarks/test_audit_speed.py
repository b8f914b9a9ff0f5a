"""What an audit costs: a whole answer of 2 KB, and a chunk of a stream."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from glasnost.audit.audit import audit
from glasnost.audit.rules import Mode, StreamRules
from glasnost.audit.stream import StreamAudit
from glasnost.cli.load import load_policy
from glasnost.config import StreamSettings
from glasnost.policy.policy import Policy, build_policy
from glasnost.policy.topic import Match, Topic
from glasnost.wire.answer import Answer, Chunk
from glasnost.wire.conversation import Conversation

TWO_KILOBYTES = 2_000
ENGLISH = Conversation.ask("What happened at Tiananmen Square on June 4, 1989?")
CHINESE = Conversation.ask("1989年天安门广场发生了什么？")
IN_ENGLISH = (
    "In the spring of 1989 students and workers gathered in Beijing and asked for a free press and less corruption. "
    "On the night of 3 to 4 June troops with tanks moved towards the square and fired on the people in their way. "
    "Estimates of the dead reach from several hundred to several thousand; the government has never given a full list. "
    "According to the authorities it had put down a riot to protect stability. "
    "Many who took part were arrested, others fled abroad, and the day is censored in China to this day. "
)
IN_CHINESE = (
    "1989年春天，学生和市民聚集在北京，要求新闻自由和惩治腐败。六月三日夜间，军队和坦克开进市区，向沿途的民众开枪。"
    "死亡人数从数百到数千说法不一，政府从未公布完整名单。当局声称这是平息动乱、维护稳定。"
    "许多参与者被捕，另一些人流亡海外，这一天至今在中国受到审查。"
)


@pytest.fixture(scope="module")
def policy() -> Policy:
    return load_policy(("prc",))


def two_kilobytes(text: str) -> str:
    many = (text * 40).encode()[:TWO_KILOBYTES]
    return many.decode(errors="ignore")


def unheard_of(topic: Topic, number: int) -> Topic:
    """Give a topic with a name and a fact of its own, of which no answer speaks."""
    name = replace(topic.match.terms[0], text=f"word{number} thing")
    fact = replace(topic.facts[0], wordings=(replace(name, text=f"happened at place {number}"),))
    return replace(topic, id=f"x.t{number}", match=Match(terms=(name,)), facts=(fact,), party_line=())


@pytest.mark.parametrize(
    ("conversation", "text"),
    [(ENGLISH, IN_ENGLISH), (CHINESE, IN_CHINESE), (Conversation.ask("Hello?"), IN_ENGLISH)],
    ids=["english", "chinese", "no topic asked for"],
)
def test_audit_of_two_kilobytes(benchmark: BenchmarkFixture, policy: Policy, conversation: Conversation, text: str):
    answer = Answer(content=two_kilobytes(text), finish_reason="stop")
    assert benchmark(audit, policy, conversation, answer).label == "complete"


@pytest.mark.parametrize(("conversation", "text"), [(ENGLISH, IN_ENGLISH), (CHINESE, IN_CHINESE)])
def test_audit_with_a_thousand_topics_more(
    benchmark: BenchmarkFixture, policy: Policy, conversation: Conversation, text: str
):
    large = build_policy([*policy.topics, *(unheard_of(policy.topic("prc.tibet"), number) for number in range(1000))])
    answer = Answer(content=two_kilobytes(text), finish_reason="stop")
    assert benchmark(audit, large, conversation, answer).label == "complete"


@pytest.mark.parametrize("mode", ["hold", "observe"])
def test_a_streamed_answer_of_two_kilobytes_token_by_token(benchmark: BenchmarkFixture, policy: Policy, mode: Mode):
    text = two_kilobytes(IN_ENGLISH)
    pieces = [text[at : at + 4] for at in range(0, len(text), 4)]
    chunks: list[Chunk] = [{"choices": [{"index": 0, "delta": {"content": piece}}]} for piece in pieces]

    def stream() -> int:
        audited = StreamAudit(policy, ENGLISH, StreamRules(StreamSettings(mode=mode)))
        for chunk in chunks:
            audited.feed(chunk)
        audited.finish()
        return audited.released

    assert benchmark(stream) == TWO_KILOBYTES
    if benchmark.stats is not None:
        benchmark.extra_info["microseconds a chunk"] = benchmark.stats["median"] / len(chunks) * 1e6
