"""What happens when a hold reaches its cap: of tokens, bytes or time, each with the action that was configured."""

from collections.abc import Mapping
from typing import Any

import pytest

from glasnost.audit.rules import Mode, StreamRules
from glasnost.audit.stream import Event, Interrupt, Release, StreamAudit
from glasnost.config import HeldCap, OpeningCap, StreamSettings
from glasnost.errors import UpstreamError
from glasnost.policy.label import Action, Label
from glasnost.wire.answer import Chunk
from glasnost.wire.conversation import Conversation
from harbour import FACT, QUESTION, REFUSAL, harbour_policy

POLICY = harbour_policy()
CLEAN = "It was in May. It rained that day. The ships lay still. "


def auditor(
    mode: Mode = "hold", *, opening: Mapping[str, Any] = {}, held: Mapping[str, Any] = {}, choices: int = 1
) -> StreamAudit:
    settings = StreamSettings(mode=mode, opening=OpeningCap(**opening), held=HeldCap(**held))
    return StreamAudit(POLICY, Conversation.ask(QUESTION), StreamRules(settings), choices=choices)


def piece(text: str, *, field: str = "content", choice: int = 0) -> Chunk:
    return {"choices": [{"index": choice, "delta": {field: text}, "finish_reason": None}]}


def said(events: list[Event]) -> str:
    chunks = [chunk for event in events if isinstance(event, Release) for chunk in event.chunks]
    return "".join(choice["delta"].get("content") or "" for chunk in chunks for choice in chunk["choices"])


def interrupt(events: list[Event]) -> Interrupt:
    [event] = events
    assert isinstance(event, Interrupt)
    return event


@pytest.mark.parametrize("cap", [{"tokens": 5, "bytes": None}, {"tokens": None, "bytes": 20}])
def test_an_opening_that_says_nothing_either_way_leaves_at_its_cap(cap: dict[str, Any]):
    audited = auditor(opening=cap)
    assert audited.feed(piece("It was in May. ")) == []
    assert said(audited.feed(piece("It rained. "))) == "It was in May. It rained. "


@pytest.mark.parametrize("overflow", ["flag", "reroute", "block"])
@pytest.mark.parametrize("clock", [False, True])
def test_an_opening_at_its_cap_is_acted_on_as_configured(overflow: str, clock: bool):  # noqa: FBT001
    audited = auditor(opening={"bytes": 1_000 if clock else 20, "overflow": overflow})
    first = audited.feed(piece("It was in May. It rained. "))
    event = interrupt(audited.expire() if clock else first)
    assert event.verdict.action is Action(overflow)
    assert (event.verdict.label, event.verdict.detector) == (Label.INCONCLUSIVE, "overflow")
    assert not event.verdict.censored
    assert event.released == 0


def test_at_a_cap_the_verdict_is_the_answers_own_where_it_has_one():
    audited = auditor(opening={"bytes": 20, "overflow": "flag"})
    event = interrupt(audited.feed(piece(REFUSAL + " It was in May. ")))
    assert (event.verdict.label, event.verdict.action) == (Label.REFUSAL, Action.REROUTE)


def test_a_suspicious_opening_is_never_released_by_its_cap():
    audited = auditor(opening={"bytes": 20})
    assert audited.feed(piece("The harbour was always calm. " + CLEAN)) == []
    assert audited.expire() == []
    assert audited.held


def test_thinking_does_not_count_for_the_opening():
    audited = auditor(opening={"bytes": 30})
    assert audited.feed(piece(CLEAN, field="reasoning_content")) == []
    assert audited.feed(piece("<think>" + CLEAN)) == []
    assert audited.feed(piece("</think>It was May. ")) == []
    assert said(audited.feed(piece("It rained all that day. ")))


def test_every_choice_has_an_opening_of_its_own():
    audited = auditor(opening={"bytes": 20}, choices=2)
    assert said(audited.feed(piece("It was in May. It rained. ", choice=1))) != ""
    assert audited.opening
    assert audited.feed(piece("It was in May. ")) == []


@pytest.mark.parametrize("mode", ["hold", "full"])
@pytest.mark.parametrize("overflow", ["flag", "reroute", "block"])
def test_what_is_held_at_its_cap_is_acted_on_as_configured(mode: Mode, overflow: str):
    audited = auditor(mode, held={"bytes": 400, "overflow": overflow})
    assert audited.feed(piece("It was in May. ")) == []
    event = interrupt(audited.feed(piece(CLEAN * 9)))
    assert (event.verdict.action, event.verdict.label) == (Action(overflow), Label.INCONCLUSIVE)
    audited.resume()
    assert audited.finish() == []
    assert audited.verdict.detector == "overflow"


def test_a_held_refusal_at_its_cap_is_a_refusal():
    event = interrupt(auditor(held={"bytes": 400}).feed(piece(REFUSAL + " " + CLEAN * 4)))
    assert event.verdict.label is Label.REFUSAL


def test_released_at_its_cap_a_stream_is_judged_to_its_end():
    audited = auditor("full", held={"bytes": 300, "overflow": "release"})
    assert said(audited.feed(piece(CLEAN * 4))) == CLEAN * 4
    assert said(audited.feed(piece(REFUSAL))) == REFUSAL
    event = interrupt(audited.finish())
    assert event.verdict.censored
    assert event.released == len(CLEAN * 4 + REFUSAL)


def test_what_waits_too_long_is_acted_on_in_full_mode_too():
    audited = auditor("full", held={"seconds": 1, "overflow": "block"})
    assert audited.overdue() == []
    audited.feed(piece(FACT))
    assert interrupt(audited.overdue()).verdict.action is Action.BLOCK
    assert audited.overdue() == []


def test_chunks_without_text_are_bounded_too():
    audited = auditor(held={"bytes": 10_000})
    events: list[Event] = []
    for _ in range(60):
        events += audited.feed({"choices": [], "obfuscation": "x"})
    assert interrupt(events).verdict.action is Action.BLOCK


def test_an_answer_longer_than_may_be_is_an_error_in_every_mode():
    settings = StreamSettings(mode="observe", max_bytes=100)
    audited = StreamAudit(POLICY, Conversation.ask("Hello?"), StreamRules(settings))
    assert said(audited.feed(piece("x" * 100)))
    with pytest.raises(UpstreamError) as raised:
        audited.feed(piece("x"))
    assert raised.value.code == "upstream_response_too_large"
