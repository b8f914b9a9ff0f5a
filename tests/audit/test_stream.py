from __future__ import annotations

import time
from collections.abc import Iterable, Mapping

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from glasnost.audit.audit import audit
from glasnost.audit.rules import Mode, StreamRules
from glasnost.audit.stream import Event, Interrupt, Release, StreamAudit
from glasnost.config import HeldCap, OpeningCap, StreamSettings
from glasnost.policy.label import Label
from glasnost.wire.answer import Answer, Chunk, fragments_of
from glasnost.wire.conversation import Conversation
from harbour import CANNED, FACT, QUESTION, REFUSAL, harbour_policy

POLICY = harbour_policy()
ON_TOPIC, OFF_TOPIC = Conversation.ask(QUESTION), Conversation.ask("What is a harbour?")
OPENED = FACT + " It was May. Ships lay still. "
NAMES = {"content": "content", "reasoning": "reasoning_content", "refusal": "refusal"}
SAYINGS = [
    FACT,
    CANNED,
    REFUSAL,
    "The harbour was always calm.",
    "According to the mayor the harbour was always calm.",
    "It was in May 1911.",
    "This is a complex and sensitive topic.",
    "Witnesses were arrested.",
    "我无法回答这个问题。",
    "警察向罢工者开火。",
    "If you have other questions, feel free to ask!",
    "The harbour strike began.",
    "Let's talk about something else.",
    "<think>",
    "</think>",
    "\n\n",
    "No end to this one",
    "that is illegal and dangerous.",
]
TEXTS = st.lists(st.sampled_from(SAYINGS), max_size=7).map(" ".join)
FIELDS = st.sampled_from(["content", "content", "reasoning", "refusal"])


def piece(text: str, *, choice: int = 0, field: str = "content") -> Chunk:
    return {"choices": [{"index": choice, "delta": {NAMES[field]: text}, "finish_reason": None}]}


def end(reason: str = "stop", *, choice: int = 0) -> Chunk:
    return {"choices": [{"index": choice, "delta": {}, "finish_reason": reason}]}


def role() -> Chunk:
    return {"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}]}


def rules(mode: Mode = "hold", *, opening: Mapping[str, object] = {}, held: Mapping[str, object] = {}) -> StreamRules:
    return StreamRules(StreamSettings(mode=mode, opening=OpeningCap(**opening), held=HeldCap(**held)))


def auditor(
    mode: Mode = "hold", conversation: Conversation = ON_TOPIC, *, choices: int = 1, **caps: Mapping[str, object]
) -> StreamAudit:
    return StreamAudit(POLICY, conversation, rules(mode, **caps), choices=choices)


def run(audited: StreamAudit, chunks: Iterable[Chunk]) -> list[Event]:
    events: list[Event] = []
    for chunk in chunks:
        events += audited.feed(chunk)
        if any(isinstance(event, Interrupt) for event in events):
            return events
    return events + audited.finish()


def left(events: Iterable[Event]) -> list[Chunk]:
    return [chunk for event in events if isinstance(event, Release) for chunk in event.chunks]


def text_of(chunks: Iterable[Chunk], *, choice: int = 0, field: str = "content") -> str:
    fragments = (fragment for chunk in chunks for fragment in fragments_of(chunk))
    return "".join(each.text for each in fragments if (each.choice, each.field) == (choice, field))


@st.composite
def streams(draw: st.DrawFn) -> tuple[list[Chunk], list[Answer]]:
    """Draw the text of some choices, cut it anywhere, and mix the choices; fields of one choice come in order."""
    choices = draw(st.integers(1, 3))
    queues: list[list[Chunk]] = []
    answers: list[Answer] = []
    for choice in range(choices):
        fields: dict[str, str] = {}
        queue: list[Chunk] = []
        for field in draw(st.lists(FIELDS, min_size=1, max_size=3)):
            text = draw(TEXTS)
            fields[field] = fields.get(field, "") + text
            size = draw(st.sampled_from([1, 2, 3, 5, 8, 13, 40, 10_000]))
            queue += [piece(text[at : at + size], choice=choice, field=field) for at in range(0, len(text), size)]
        reason = draw(st.sampled_from(["stop", "length", "content_filter"]))
        queues.append([*queue, end(reason, choice=choice)])
        answers.append(Answer(**fields, finish_reason=reason))
    chunks: list[Chunk] = []
    turns = draw(st.randoms(use_true_random=False))
    while any(queues):
        queue = turns.choice([queue for queue in queues if queue])
        chunks.append(queue.pop(0))
    return chunks, answers


MODES = st.sampled_from(["observe", "window", "hold", "full"])
CONVERSATIONS = st.sampled_from([ON_TOPIC, OFF_TOPIC])
many = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@many
@given(streams(), MODES, CONVERSATIONS, st.sampled_from([10, 60, 4_000]))
def test_any_split_of_a_stream_ends_in_the_verdict_of_the_whole(
    drawn: tuple[list[Chunk], list[Answer]], mode: Mode, conversation: Conversation, opening_bytes: int
):
    chunks, answers = drawn
    audited = auditor(mode, conversation, opening={"bytes": opening_bytes}, choices=len(answers))
    for chunk in chunks:
        audited.feed(chunk)
    audited.finish()
    assert audited.verdict == audit(POLICY, conversation, answers)
    assert list(audited.answers) == answers


@many
@given(streams(), MODES, CONVERSATIONS)
def test_what_leaves_is_the_beginning_of_the_stream_untouched_and_all_of_it_when_nothing_is_wrong(
    drawn: tuple[list[Chunk], list[Answer]], mode: Mode, conversation: Conversation
):
    chunks, answers = drawn
    audited = auditor(mode, conversation, choices=len(answers))
    events = run(audited, chunks)
    out = left(events)
    assert all(one is other for one, other in zip(out, chunks, strict=False))
    assert audited.released == sum(len(each.text) for chunk in out for each in fragments_of(chunk))
    interrupted = [event for event in events if isinstance(event, Interrupt)]
    assert bool(interrupted) == audit(POLICY, conversation, answers).censored
    assert interrupted or len(out) == len(chunks)
    assert all(event.released == audited.released for event in interrupted)


@many
@given(streams(), st.sampled_from(["window", "hold", "full"]), st.sampled_from([10, 60, 4_000]))
def test_no_character_of_the_evidence_ever_leaves(
    drawn: tuple[list[Chunk], list[Answer]], mode: Mode, opening_bytes: int
):
    chunks, answers = drawn
    events = run(auditor(mode, opening={"bytes": opening_bytes}, choices=len(answers)), chunks)
    out = left(events)
    final = audit(POLICY, ON_TOPIC, answers)
    if final.censored:
        assert isinstance(events[-1], Interrupt)
        for evidence in (*final.evidence, *events[-1].verdict.evidence):
            sent = text_of(out, choice=evidence.choice, field=evidence.field)
            assert len(sent) <= evidence.start or evidence.start == evidence.end


@many
@given(streams())
def test_nothing_of_a_censored_answer_without_a_fact_leaves_in_hold_mode(drawn: tuple[list[Chunk], list[Answer]]):
    chunks, answers = drawn
    stated = "开火" in str(answers) or "Police fired" in str(answers)
    events = run(auditor("hold", choices=len(answers)), chunks)
    if not stated and audit(POLICY, ON_TOPIC, answers).censored:
        assert left(events) == []
        assert isinstance(events[-1], Interrupt)
        assert events[-1].released == 0


def test_a_stated_fact_opens_the_stream_and_the_rest_leaves_sentence_by_sentence():
    audited = auditor()
    assert audited.feed(role()) == []
    assert audited.feed(piece(f"{FACT} It was May")) == []
    assert audited.feed(piece(". Ships lay still")) == []
    assert audited.held
    assert audited.feed(piece(".")) == []
    assert text_of(left(audited.feed(piece(" ")))) == f"{FACT} It was May. Ships lay still. "
    assert audited.feed(piece("Many fled")) == []
    assert audited.feed(piece(".")) == []
    assert text_of(left(audited.feed(piece("\n")))) == ""
    assert text_of(left(audited.feed(piece("Some stayed.")))) == "Many fled.\n"
    assert text_of(left(audited.finish())) == "Some stayed."
    assert not audited.held


def test_a_published_refusal_interrupts_at_the_end_of_its_sentence():
    audited = auditor()
    assert audited.feed(piece("Sorry, that's beyond my current scope.")) == []
    [event] = audited.feed(piece(" Let's"))
    assert isinstance(event, Interrupt)
    assert (event.verdict.label, event.released) == (Label.REFUSAL, 0)
    assert audited.feed(piece(" talk about something else.")) == []
    assert audited.finish() == []


def test_a_refusal_that_more_text_could_take_back_interrupts_at_the_end():
    audited = auditor()
    assert audited.feed(piece(REFUSAL + " But wait.")) == []
    [event] = audited.finish()
    assert isinstance(event, Interrupt)
    assert event.verdict.censored


def test_from_a_suspicious_sentence_on_all_is_kept_to_the_end():
    audited = auditor()
    sent = left(audited.feed(piece(OPENED)))
    assert sent
    assert left(audited.feed(piece("The harbour was always calm. "))) == []
    assert left(audited.feed(piece("Many fled. " * 3))) == []
    assert len(left(audited.finish())) == 2


def test_after_so_much_clean_text_the_stream_opens():
    audited = auditor(opening={"bytes": 30})
    assert audited.feed(piece("It was in May. ")) == []
    assert left(audited.feed(piece("It rained that day. ")))


def test_criticism_opens_a_stream_as_facts_do_and_neither_does_before_the_sentences_of_an_opening():
    text = "Witnesses were arrested without trial and tortured. It was May. "
    audited = auditor()
    assert audited.feed(piece(text)) == []
    assert text_of(left(audited.feed(piece("Ships lay still. ")))) == text + "Ships lay still. "


def test_text_that_is_not_suspicious_leaves_when_its_time_is_over():
    audited = auditor()
    audited.feed(piece("It was in May. "))
    audited.feed(piece("It rai"))
    assert text_of(left(audited.expire())) == "It was in May. "
    assert text_of(left(audited.feed(piece("ned. ")))) == "It rained. "


@pytest.mark.parametrize("text", ["The harbour was always calm. ", "It was May. The harbour was always calm"])
def test_suspicious_text_stays_when_its_time_is_over_finished_or_not(text: str):
    audited = auditor()
    audited.feed(piece(text))
    assert audited.expire() == []
    assert audited.held


def test_off_topic_streams_are_never_held():
    audited = auditor("hold", OFF_TOPIC)
    for word in REFUSAL.split():
        assert left(audited.feed(piece(word + " ")))
        assert not audited.held
    assert audited.finish() == []
    assert not audited.verdict.censored


def test_an_answer_that_turns_to_a_topic_is_held_from_there_on():
    audited = auditor("hold", OFF_TOPIC)
    assert left(audited.feed(piece("The harbour strike began. ")))
    assert audited.feed(piece("The harbour was always")) == []
    assert audited.feed(piece(" calm. ")) == []
    [event] = audited.finish()
    assert isinstance(event, Interrupt)
    assert event.verdict.label is Label.PROPAGANDA


def test_window_mode_releases_from_the_first_clean_sentence():
    assert left(auditor("window").feed(piece("It was in May. ")))


def test_full_mode_releases_nothing_before_the_end():
    audited = auditor("full")
    assert audited.feed(piece(FACT + " Many fled. " * 50)) == []
    assert audited.expire() == []
    assert len(left(audited.finish())) == 1


def test_observe_mode_never_holds_and_tells_at_the_end():
    audited = auditor("observe")
    assert left(audited.feed(piece(CANNED)))
    [event] = audited.finish()
    assert isinstance(event, Interrupt)
    assert event.released == len(CANNED)


def test_resuming_after_an_interruption_lets_everything_pass():
    audited = auditor()
    chunks = [role(), piece(CANNED + " "), piece("Bye.")]
    events = [event for chunk in chunks[:2] for event in audited.feed(chunk)]
    assert isinstance(events[-1], Interrupt)
    assert left(audited.resume()) == chunks[:2]
    assert left(audited.feed(chunks[2])) == chunks[2:]
    assert audited.finish() == []
    assert audited.verdict.censored


def test_role_usage_and_finish_chunks_wait_with_the_text():
    audited = auditor()
    audited.feed(role())
    assert left(audited.feed(piece(OPENED))) == [role(), piece(OPENED)]
    usage: Chunk = {"choices": [], "usage": {"total_tokens": 3}}
    assert audited.feed(end()) == audited.feed(usage) == []
    assert left(audited.finish()) == [end(), usage]


def test_a_content_filter_at_the_end_interrupts_what_was_clean():
    audited = auditor()
    audited.feed(piece(OPENED))
    audited.feed(end("content_filter"))
    [event] = audited.finish()
    assert isinstance(event, Interrupt)
    assert (event.verdict.label, event.released) == (Label.TRUNCATED, len(OPENED))


def test_reasoning_waits_for_the_answer():
    audited = auditor()
    assert audited.feed(piece(FACT + " ", field="reasoning")) == []
    [event] = [*audited.feed(piece(REFUSAL)), *audited.finish()]
    assert isinstance(event, Interrupt)
    assert event.released == 0


def test_a_token_costs_little_however_long_the_answer_is():
    def seconds(sentences: int) -> float:
        audited = auditor()
        words = (FACT + " The ships lay still for a week. " * sentences).split(" ")
        began = time.process_time()
        for word in words:
            audited.feed(piece(word + " "))
        audited.finish()
        return (time.process_time() - began) / len(words)

    seconds(10)
    assert seconds(600) < 4 * seconds(60)
