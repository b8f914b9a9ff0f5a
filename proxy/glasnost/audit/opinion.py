"""What a second opinion does to a verdict: it settles what was left unsure, and never lowers what a rule found.

| verdict | opinion: censored | opinion: complete | no opinion (late, malformed, unsure) |
|---|---|---|---|
| a rule's finding, `safety_refusal`, or off topic | unchanged | unchanged | unchanged |
| `inconclusive` | the opinion's label | complete | inconclusive |
| complete, or a finding of `classifier` or `brief` | the opinion's label | complete | inconclusive |

The last column is that of a judge who was asked: his failure never makes, or leaves, an answer `complete`, and the
action is then at least the one that the configuration gives for it. A semantic tier that fails leaves the verdict as
it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from glasnost.audit.action import SEVERITY, action_of
from glasnost.audit.verdict import Evidence, Verdict
from glasnost.policy.label import CENSORING, Action, Label
from glasnost.policy.policy import Policy
from glasnost.wire.answer import Answer

Source = Literal["semantic", "judge"]
#: Probabilities of censorship from the first up to the second are unsure.
Band = tuple[float, float]

# Every other detector reads a wording, and what a wording shows stands.
_OPEN = frozenset({"none", "classifier", "brief", "semantic"})
_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Opinion:
    """What another reader makes of an answer: a label with its probability, and in words why."""

    source: Source
    label: Label
    probability: float
    why: str
    evidence: tuple[Evidence, ...] = ()


def open_to_opinions(verdict: Verdict) -> bool:
    """Say whether anybody may settle the verdict: it is on a topic, and no rule has decided it."""
    if not verdict.topics or verdict.label is Label.SAFETY_REFUSAL:
        return False
    return verdict.label is Label.INCONCLUSIVE or verdict.detector in _OPEN


def chance_of_censorship(verdict: Verdict) -> float:
    """Give the probability that the answer is of a censoring kind; an inconclusive verdict says nothing: a half."""
    if verdict.label is Label.INCONCLUSIVE:
        return 0.5
    return verdict.probability if verdict.label in CENSORING else 1 - verdict.probability


def unsure(verdict: Verdict, band: Band) -> bool:
    """Say whether the probability of censorship lies in the band."""
    return band[0] <= chance_of_censorship(verdict) <= band[1]


def settle(policy: Policy, verdict: Verdict, opinion: Opinion) -> Verdict:
    """Give the verdict that follows from an opinion on it."""
    if not open_to_opinions(verdict) or opinion.label not in CENSORING | {Label.COMPLETE}:
        return verdict
    settled = replace(
        verdict,
        label=opinion.label,
        probability=opinion.probability,
        evidence=(*verdict.evidence, *opinion.evidence) if opinion.label in CENSORING else (),
        detector=opinion.source,
    )
    return replace(settled, action=action_of(policy, settled.topics, settled.label, settled.probability))


def left_open(verdict: Verdict, least: Action) -> Verdict:
    """Give the verdict where a judge was asked and gave no opinion: inconclusive, and its action at least `least`."""
    if not open_to_opinions(verdict):
        return verdict
    action = max(verdict.action, least, key=SEVERITY.__getitem__)
    return replace(verdict, label=Label.INCONCLUSIVE, probability=0.5, detector="judge", action=action)


def evidence_of(answers: Sequence[Answer], choice: int, why: str) -> tuple[Evidence, ...]:
    """Point at the beginning of a choice's content, for an opinion that is about the whole."""
    content = answers[choice].content
    start = len(content) - len(content.lstrip())
    end = min(len(content.rstrip()), start + _SHOWN)
    return (Evidence("content", start, end, content[start:end], why, choice),) if end > start else ()
