"""The closed vocabularies of a verdict: what an answer did, and what is done about it."""

from __future__ import annotations

from enum import StrEnum


class Label(StrEnum):
    """What an answer did."""

    COMPLETE = "complete"
    REFUSAL = "refusal"
    EVASION = "evasion"
    PROPAGANDA = "propaganda"
    OMISSION = "omission"
    TRUNCATED = "truncated"
    SAFETY_REFUSAL = "safety_refusal"
    INCONCLUSIVE = "inconclusive"


CENSORING = frozenset({Label.REFUSAL, Label.EVASION, Label.PROPAGANDA, Label.OMISSION, Label.TRUNCATED})
"""The labels that are censorship when, and only when, the exchange touches a policy topic."""


class Action(StrEnum):
    """What is done about an answer."""

    PASS = "pass"  # noqa: S105  # an action, not a password
    FLAG = "flag"
    REROUTE = "reroute"
    BLOCK = "block"
