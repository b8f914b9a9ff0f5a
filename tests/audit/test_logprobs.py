"""Log probabilities repeat the text; where they say something else, that is audited as text too."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from glasnost.audit.audit import audit
from glasnost.audit.rules import StreamRules
from glasnost.audit.stream import Event, Interrupt, Release, StreamAudit
from glasnost.config import StreamSettings
from glasnost.policy.label import Label
from glasnost.wire.answer import Chunk, answers_of
from glasnost.wire.conversation import Conversation
from harbour import CANNED, FACT, QUESTION, REFUSAL, harbour_policy

POLICY = harbour_policy()
ON_TOPIC = Conversation.ask(QUESTION)
SAID = st.sampled_from(
    [FACT, REFUSAL, CANNED, "It was in May. ", "Ships lay still. ", "我无法回答这个问题。", "\n", "a", ""]
)
PAIRS = st.lists(st.tuples(SAID, SAID | st.none()), max_size=6)


def probabilities(*tokens: str) -> dict[str, Any]:
    return {"content": [{"token": token, "logprob": -0.1, "bytes": None, "top_logprobs": []} for token in tokens]}


def piece(text: str, *tokens: str) -> Chunk:
    return {"choices": [{"index": 0, "delta": {"content": text}, "logprobs": probabilities(*tokens)}]}


def whole(text: str, *tokens: str) -> dict[str, Any]:
    return {"choices": [{"index": 0, "message": {"content": text}, "logprobs": probabilities(*tokens)}]}


def streamed(pieces: list[Chunk]) -> tuple[StreamAudit, list[Event]]:
    audited = StreamAudit(POLICY, ON_TOPIC, StreamRules(StreamSettings()))
    events = [event for each in pieces for event in audited.feed(each)]
    return audited, events + audited.finish()


def test_tokens_that_repeat_the_text_add_nothing_however_they_are_cut():
    for tokens in ([FACT], [*FACT], [FACT[:5], FACT[5:]]):
        [answer] = answers_of(whole(FACT, *tokens))
        assert answer.logprobs == ""
    audited, _ = streamed(
        [piece("", "Police "), piece("Police fired "), piece("on the strikers.", "fired on the strikers.")]
    )
    assert audited.answers[0].logprobs == ""


def test_a_refusal_that_only_the_tokens_say_is_found_whole_and_streamed_and_nothing_leaves():
    [answer] = answers_of(whole("Fine.", *REFUSAL))
    assert answer.logprobs == REFUSAL
    assert audit(POLICY, ON_TOPIC, answer).label is Label.REFUSAL
    audited, events = streamed([piece("Fine.", "F"), *(piece("", token) for token in REFUSAL)])
    assert audited.verdict.label is Label.REFUSAL
    assert [type(event) for event in events] == [Interrupt]


def test_the_tokens_of_a_bare_completion_count_too():
    [answer] = answers_of(
        {"choices": [{"index": 0, "message": {"content": "Fine."}, "logprobs": {"tokens": [REFUSAL]}}]}
    )
    assert answer.logprobs == REFUSAL


@settings(max_examples=100, deadline=None)
@given(PAIRS, st.integers(1, 30))
def test_whatever_tokens_say_a_stream_ends_in_the_verdict_of_the_whole(said: list[tuple[str, str | None]], size: int):
    """None stands for tokens that repeat the text."""
    text = "".join(words for words, _ in said)
    tokens = "".join(words if other is None else other for words, other in said)
    longest = max(len(text), len(tokens), 1)
    cuts = range(0, longest, size)
    audited, events = streamed([piece(text[at : at + size], tokens[at : at + size]) for at in cuts])
    answers = answers_of(whole(text, tokens))
    verdict = audit(POLICY, ON_TOPIC, answers)
    assert [answer.logprobs for answer in audited.answers] == [answer.logprobs for answer in answers]
    assert (audited.verdict.label, audited.verdict.action) == (verdict.label, verdict.action)
    assert any(isinstance(event, Interrupt) for event in events) == verdict.censored
    left = [each for event in events if isinstance(event, Release) for each in event.chunks]
    if verdict.censored and "fired on the strikers" not in text:
        assert left == []
