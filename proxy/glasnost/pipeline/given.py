"""An answer that somebody else's model gave: judged and recorded like one of ours, and acted on by whoever asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from glasnost.audit.audit import audit
from glasnost.audit.verdict import Verdict
from glasnost.errors import GlasnostError
from glasnost.pipeline.run import Run
from glasnost.pipeline.timing import excerpt, timed
from glasnost.policy.label import Action
from glasnost.record.exchange import FIRST, Attempt, Exchange
from glasnost.wire.answer import Answer

#: What the asker does with an answer that the policy would reroute or block: it can only let it pass, or not.
Means = Literal[Action.FLAG, Action.BLOCK]


async def judge_given(run: Run, answers: Sequence[Answer], means: Means) -> Exchange:
    """Judge every choice of one answer and record it; raises AuditFailed where it cannot be judged."""
    run.opened()
    model = run.request.model
    attempt = Attempt(FIRST, model, "", "answered", 0.0, excerpt=excerpt(answers), answers=tuple(answers))
    try:
        await run.confirmed()
        verdict, spent = timed(lambda: audit(run.policy, run.conversation, answers))
        settled = await run.settle(verdict, answers, model)
    except GlasnostError as error:
        run.note(replace(attempt, outcome="failed", error=error))
        await run.closed(run.exchange("failed", Action.PASS, ""))
        raise
    except BaseException:
        await run.closed(run.exchange(run.unfinished(), Action.PASS, ""))
        raise
    run.note(replace(attempt, verdict=settled.verdict, audit_seconds=spent, consulted=settled.consulted))
    action = _action(settled.verdict, means)
    exchange = run.exchange("blocked" if action is Action.BLOCK else "served", action, model)
    await run.closed(exchange)
    return exchange


def _action(verdict: Verdict, means: Means) -> Action:
    if verdict.action is Action.PASS:
        return Action.PASS
    return Action.FLAG if verdict.action is Action.FLAG else means
