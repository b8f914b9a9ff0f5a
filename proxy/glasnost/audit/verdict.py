"""What the auditor concludes about an exchange: a label with its probability, topics, evidence and action."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from glasnost.policy.label import CENSORING, Action, Label


@dataclass(frozen=True, slots=True)
class Evidence:
    """A stretch of one field of one choice, in characters of the original text, and why it counts."""

    field: str
    start: int
    end: int
    text: str
    why: str
    choice: int = 0

    def as_dict(self) -> dict[str, Any]:
        """Give it as JSON values; `choice` stands there only where it is not the first."""
        place = {"choice": self.choice} if self.choice else {}
        return {**place, "field": self.field, "start": self.start, "end": self.end, "text": self.text, "why": self.why}


@dataclass(frozen=True, slots=True)
class Signals:
    """What only the upstream knows: `retracted` when a provider took back text that it had sent."""

    retracted: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an answer did: `probability` is that of `label`, `action` what the policy says for it on these topics.

    `otherwise` is what it says for an answer that should be rerouted when no other one passes.
    """

    label: Label
    probability: float
    topics: tuple[str, ...]
    evidence: tuple[Evidence, ...]
    policy_hash: str
    detector: str
    action: Action
    otherwise: Action = Action.FLAG

    @property
    def censored(self) -> bool:
        """True when both keys turn: a censoring label, and a touched topic that acts on it."""
        return self.label in CENSORING and self.action is not Action.PASS

    def as_dict(self) -> dict[str, Any]:
        """Give the verdict as JSON values."""
        return {
            "label": self.label.value,
            "probability": self.probability,
            "censored": self.censored,
            "topics": list(self.topics),
            "evidence": [piece.as_dict() for piece in self.evidence],
            "policy": self.policy_hash,
            "detector": self.detector,
        }
