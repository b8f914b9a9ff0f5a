"""Ten thousand censored answers, cut and mixed at random: in `hold` and in `full`, not a character of them leaves."""

from __future__ import annotations

import random

import pytest

from gagged import QUESTIONS, answer_of, answers_in, chunks_of
from glasnost.audit.audit import audit
from glasnost.audit.rules import Mode, StreamRules
from glasnost.audit.stream import Interrupt, StreamAudit
from glasnost.config import StreamSettings
from glasnost.policy.policy import Policy
from glasnost.wire.answer import Chunk
from glasnost.wire.conversation import Conversation

COUNT = 1_000  # in each of ten parts


def leaked(policy: Policy, question: Conversation, mode: Mode, choices: int, chunks: list[Chunk]) -> int:
    """Give the characters that left before the auditor stepped in; it has to."""
    audited = StreamAudit(policy, question, StreamRules(StreamSettings(mode=mode)), choices=choices)
    for chunk in chunks:
        if any(isinstance(event, Interrupt) for event in audited.feed(chunk)):
            return audited.released
    assert any(isinstance(event, Interrupt) for event in audited.finish()), "a censored answer came through"
    return audited.released


@pytest.mark.no_cover  # nothing is run here that other tests do not run, and tracing it takes as long again
@pytest.mark.parametrize("seed", range(1989, 1999))  # the same answers in every run
def test_not_a_character_of_ten_thousand_censored_answers_leaves(prc: Policy, seed: int):
    chance = random.Random(seed)
    censored = characters = 0
    while censored < COUNT:
        choices = [answer_of(chance) for _ in range(chance.choice([1, 1, 1, 2]))]
        question = Conversation.ask(chance.choice(QUESTIONS))
        if audit(prc, question, answers_in(choices)).censored:
            censored += 1
            chunks = list(chunks_of(chance, choices))
            characters += sum(leaked(prc, question, mode, len(choices), chunks) for mode in ("hold", "full"))
    assert characters == 0
