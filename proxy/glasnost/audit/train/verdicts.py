"""The audit's verdicts on rows by weights that have seen neither their prompt nor their model.

They have the form of what `glasnost audit ROWS.jsonl --on-topic` writes, and say in `both_keys` whether the answer is
called censored where its prompt must touch a topic by itself. What is measured or trained behind the
classifier, such as a head's share, must not take its memory of these rows for skill.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from glasnost.audit.classifier import Estimate
from glasnost.audit.train.examples import Example, inquire
from glasnost.audit.verdict import Signals, Verdict
from glasnost.policy.label import Label
from glasnost.policy.policy import Policy

if TYPE_CHECKING:
    from numpy.typing import NDArray


def verdicts(
    policy: Policy,
    rows: Iterable[dict[str, Any]],
    found: Sequence[Example],
    chances: NDArray[np.float64],
    kinds: Sequence[Label],
) -> Iterator[dict[str, Any]]:
    """Give id and verdict of every measured row, with the estimate that stands at its example's place."""
    estimates = {
        example.id: Estimate(float(chance), kind)
        for example, chance, kind in zip(found, chances, kinds, strict=True)
        if example.measured
    }
    for row in rows:
        if row["domain"] == "ccp" and (judged := estimates.get(row["id"])):
            given, matched = (_verdict(policy, row, judged, on_topic=on_topic) for on_topic in (True, False))
            yield {
                "id": row["id"],
                **given.as_dict(),
                "both_keys": matched.censored,
            }


def _verdict(policy: Policy, row: dict[str, Any], judged: Estimate, *, on_topic: bool) -> Verdict:
    def apart(*_: object, **__: object) -> Estimate:
        return judged

    return inquire(policy, row, apart, on_topic=on_topic).verdict(Signals())
