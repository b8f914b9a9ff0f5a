"""Exchanges to record, without a pipeline before them."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from typing import Any

from prometheus_client import CollectorRegistry

from glasnost.audit.verdict import Evidence, Verdict
from glasnost.config import LedgerSettings
from glasnost.policy.label import Action, Label
from glasnost.record.exchange import Attempt, Exchange
from glasnost.record.ledger.ledger import Ledger
from glasnost.record.ledger.place import Place
from glasnost.record.ledger_metrics import LedgerMetrics
from glasnost.record.metrics import Metrics
from glasnost.record.redactor import Redactor
from glasnost.wire.answer import Answer
from glasnost.wire.conversation import Conversation

REFUSAL = "I cannot discuss that."
PROMPT = "Who was Liu Xiaobo?"
_numbers = itertools.count(1)


def exchange(**fields: Any) -> Exchange:
    """Give a refusal that went out flagged."""
    piece = Evidence("content", 0, len(REFUSAL), REFUSAL, "a refusal")
    topics = ("prc.dissidents",)
    verdict = Verdict(Label.REFUSAL, 0.97, topics, (piece,), "abc", "refusal", Action.FLAG)
    attempt = Attempt(
        "first", "asked", "one", "answered", 0.25, verdict=verdict, excerpt=REFUSAL, answers=(Answer(REFUSAL),),
        usage={"prompt_tokens": 3, "completion_tokens": 5, "odd": "text"},
    )  # fmt: skip
    known = {
        "id": f"gx-{next(_numbers)}", "model": "asked", "mode": "hold", "policy_hash": "abc", "outcome": "served",
        "attempts": (attempt,), "verdict": verdict, "topics": topics, "action": Action.FLAG, "served_by": "asked",
        "seconds": 0.3, "conversation": Conversation.ask(PROMPT),
    }  # fmt: skip
    return Exchange(**known | fields)


def ledger(place: Place, *, chores: Any = (), secrets: Any = (), **settings: Any) -> Ledger:
    """Give a ledger with metrics of its own."""
    metrics = LedgerMetrics(Metrics(CollectorRegistry(), "0"))
    known = {"one": {"gguf_sha256": "f" * 64, "template_sha256": "e" * 64}}
    return Ledger(
        place, LedgerSettings(**settings), Redactor(secrets), lambda name: known.get(name, {}), metrics, chores
    )


def run(each: Ledger, work: Callable[[Ledger], Awaitable[Any]]) -> Any:
    """Run `work` between the start and the end of a ledger."""

    async def between() -> Any:
        await each.start()
        try:
            return await work(each)
        finally:
            await each.aclose()

    return asyncio.run(between())


async def record(each: Ledger, *exchanges: Exchange) -> None:
    """Open and close exchanges, one after the other."""
    for one in exchanges:
        await each.opened(one)
        await each.closed(one)
