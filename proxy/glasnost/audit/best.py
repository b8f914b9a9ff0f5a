"""Which of several censored answers is the best one: it goes out, flagged, when no answer passes.

- an answer that could not be settled before one that is censored;
- then the one that is less likely to be censored;
- then the one that came first, which is nearest to what was asked.
"""

from __future__ import annotations

from glasnost.audit.verdict import Verdict
from glasnost.policy.label import Label


def rank(verdict: Verdict) -> tuple[bool, float]:
    """Give a key by which better answers sort first; of equal ones, the first that came is to be taken."""
    return verdict.label is not Label.INCONCLUSIVE, verdict.probability
