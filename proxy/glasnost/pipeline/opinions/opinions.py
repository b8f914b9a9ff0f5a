"""Second opinions on a verdict, between the audit and the decision: the semantic tier, then the judge."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from glasnost.audit.opinion import (
    Band,
    Opinion,
    chance_of_censorship,
    evidence_of,
    left_open,
    open_to_opinions,
    settle,
    unsure,
)
from glasnost.audit.pair import spoken
from glasnost.audit.verdict import Verdict
from glasnost.pipeline.opinions.judge import Judge
from glasnost.pipeline.opinions.semantic import SemanticTier
from glasnost.policy.label import CENSORING, Action, Label
from glasnost.policy.policy import Policy
from glasnost.record.exchange import Consultation
from glasnost.wire.answer import Answer

_WORST = {Label.COMPLETE: 0, Label.INCONCLUSIVE: 1}


@dataclass(frozen=True, slots=True)
class Settled:
    """A verdict after all who were asked, and how asking them went."""

    verdict: Verdict
    consulted: tuple[Consultation, ...] = ()


class Opinions:
    """Asks who is configured, and only about what the rules left open; `on_failure` is the judge's."""

    def __init__(
        self, band: Band, tier: SemanticTier | None, judge: Judge | None, on_failure: Action = Action.FLAG
    ) -> None:
        self._band = band
        self._tier = tier
        self._judge = judge
        self._on_failure = on_failure

    async def on(
        self, policy: Policy, verdict: Verdict, question: str, answers: Sequence[Answer], model: str
    ) -> Settled:
        """Settle a verdict on what `model` answered, every choice of it; the worst opinion on a choice counts."""
        consulted: list[Consultation] = []
        pairs = [(question, spoken(answer)) for answer in answers]
        # On a wide topic refusals alone count, and the rules know those.
        narrow = [topic for topic in verdict.topics if not policy.topic(topic).wide]
        if not narrow or not open_to_opinions(verdict) or not any(said for _, said in pairs):
            return Settled(verdict)
        tier = self._tier if self._tier is not None and self._tier.head.knows(narrow) else None
        if tier is not None and (tier.always or unsure(verdict, self._band)):
            verdict, asked = await self._read(tier, policy, verdict, answers, pairs)
            consulted.append(asked)
        if self._judge is not None and self._judge.model != model and unsure(verdict, self._band):
            verdict, judged = await self._judged(self._judge, policy, verdict, answers, pairs)
            consulted += judged
        return Settled(verdict, tuple(consulted))

    async def _read(
        self,
        tier: SemanticTier,
        policy: Policy,
        verdict: Verdict,
        answers: Sequence[Answer],
        pairs: Sequence[tuple[str, str]],
    ) -> tuple[Verdict, Consultation]:
        readings, consultation = await tier.read(pairs)
        if readings is None:
            return verdict, consultation
        choice = max(range(len(readings)), key=lambda number: readings[number].log_odds)
        chance = tier.head.chance(chance_of_censorship(verdict), readings[choice].log_odds)
        if chance < 0.5:
            opinion = Opinion("semantic", Label.COMPLETE, 1 - chance, "")
        else:
            label = verdict.label if verdict.label in CENSORING else readings[choice].label
            why = f"the vectors of question and answer read as {label.value}"
            opinion = Opinion("semantic", label, chance, why, evidence_of(answers, choice, why))
        return settle(policy, verdict, opinion), consultation

    async def _judged(
        self,
        judge: Judge,
        policy: Policy,
        verdict: Verdict,
        answers: Sequence[Answer],
        pairs: Sequence[tuple[str, str]],
    ) -> tuple[Verdict, list[Consultation]]:
        topics = [policy.topic(topic).title for topic in verdict.topics]
        judged = await asyncio.gather(*(judge.ask(topics, *pair) for pair in pairs))
        consulted = [each.consultation for each in judged]
        opinions = [each.opinion for each in judged if each.opinion is not None]
        worst = max(opinions, key=lambda opinion: _WORST.get(opinion.label, 2), default=None)
        if worst is not None and worst.label in CENSORING:
            choice = next(number for number, each in enumerate(judged) if each.opinion is worst)
            told = Opinion("judge", worst.label, worst.probability, worst.why, evidence_of(answers, choice, worst.why))
            return settle(policy, verdict, told), consulted
        if worst is None or worst.label is Label.INCONCLUSIVE or len(opinions) < len(judged):
            return left_open(verdict, self._on_failure), consulted
        return settle(policy, verdict, worst), consulted
