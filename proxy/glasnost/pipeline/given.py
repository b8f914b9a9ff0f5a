"""An answer that somebody else's model gave: judged and recorded like one of ours, and acted on by whoever asks."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from glasnost.audit.audit import audit
from glasnost.audit.verdict import Verdict
from glasnost.errors import GlasnostError
from glasnost.pipeline.run import Clock
from glasnost.pipeline.timing import excerpt, timed
from glasnost.policy.label import Action
from glasnost.policy.policy import Policy
from glasnost.record.exchange import FIRST, Attempt, Exchange, Recorder
from glasnost.wire.audits import Case

GIVEN = "given"

#: What the asker does with an answer that the policy would reroute or block: it can only let it pass, or not.
Means = Literal[Action.FLAG, Action.BLOCK]


async def judge_given(  # noqa: PLR0913  # what an exchange consists of
    case: Case,
    *,
    id: str,  # noqa: A002  # the field's name
    model: str,
    means: Means,
    policy: Policy,
    recorder: Recorder,
    clock: Clock,
) -> Exchange:
    """Judge one case and record it; raises AuditFailed where it cannot be judged."""
    started = clock()
    topics = tuple(dict.fromkeys(hit.topic_id for hit in policy.topics_in(case.conversation)))
    blank = Exchange(id, model, GIVEN, policy.hash, "served", (), None, topics, Action.PASS, model, 0.0)
    await recorder.opened(blank)
    attempt = Attempt(FIRST, model, "", "answered", 0.0, excerpt=excerpt(case.answers))
    try:
        verdict, spent = timed(lambda: audit(policy, case.conversation, case.answers))
    except GlasnostError as error:
        failed = replace(attempt, outcome="failed", error=error)
        await recorder.closed(replace(blank, outcome="failed", attempts=(failed,), seconds=clock() - started))
        raise
    attempt = replace(attempt, verdict=verdict, audit_seconds=spent)
    action = _action(verdict, means)
    exchange = replace(
        blank,
        outcome="blocked" if action is Action.BLOCK else "served",
        attempts=(attempt,),
        verdict=verdict,
        topics=verdict.topics,
        action=action,
        seconds=clock() - started,
    )
    await recorder.closed(exchange)
    return exchange


def _action(verdict: Verdict, means: Means) -> Action:
    if verdict.action is Action.PASS:
        return Action.PASS
    return Action.FLAG if verdict.action is Action.FLAG else means
