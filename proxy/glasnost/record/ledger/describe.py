"""From an exchange to what an entry says of it: names, labels, numbers and hashes, and no word of what was said."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from glasnost.audit.verdict import Verdict
from glasnost.record.exchange import Attempt, Exchange

#: Gives what is known of the model behind an upstream: `gguf_sha256`, `template_sha256`.
Identity = Callable[[str], Mapping[str, str]]

_TOKENS = ("prompt_tokens", "completion_tokens", "total_tokens")


def opened(exchange: Exchange) -> dict[str, Any]:
    """Say what is known before the answer."""
    return {
        "endpoint": exchange.endpoint,
        "key": exchange.key.id if exchange.key else None,
        "model": exchange.model,
        "mode": exchange.mode,
        "topics": list(exchange.topics),
        "policy": exchange.policy_hash,
        "language": exchange.language,
    }


def closed(exchange: Exchange, identity: Identity) -> dict[str, Any]:
    """Say what became of it; times are whole microseconds."""
    return {
        **opened(exchange),
        "outcome": exchange.outcome,
        "action": exchange.action.value,
        "after_release": exchange.after_release,
        "served_by": exchange.served_by,
        "verdict": _verdict(exchange.verdict),
        "microseconds": _microseconds(exchange.seconds),
        "first_token_microseconds": _microseconds(exchange.first_token),
        "released_chars": exchange.released,
        "attempts": [_attempt(attempt, identity) for attempt in exchange.attempts],
        **({"trace_id": exchange.trace_id} if exchange.trace_id else {}),
    }


def _attempt(attempt: Attempt, identity: Identity) -> dict[str, Any]:
    usage = attempt.usage or {}
    return {
        "rung": attempt.rung,
        "model": attempt.model,
        "upstream": attempt.upstream,
        "purpose": attempt.purpose,
        "outcome": attempt.outcome,
        "error": attempt.error.code if attempt.error else None,
        "verdict": _verdict(attempt.verdict),
        "microseconds": _microseconds(attempt.seconds),
        "first_token_microseconds": _microseconds(attempt.first_token),
        "audit_microseconds": _microseconds(attempt.audit_seconds),
        "tokens": {name: usage[name] for name in _TOKENS if isinstance(usage.get(name), int)},
        "identity": dict(identity(attempt.upstream)),
        "consulted": [each.as_dict() for each in attempt.consulted],
    }


def _verdict(verdict: Verdict | None) -> dict[str, Any] | None:
    if verdict is None:
        return None
    return {
        "label": verdict.label.value,
        "probability": round(verdict.probability, 6),
        "censored": verdict.censored,
        "detector": verdict.detector,
        "topics": list(verdict.topics),
        "policy": verdict.policy_hash,
        "evidence": [
            {"choice": each.choice, "field": each.field, "start": each.start, "end": each.end, "why": each.why}
            for each in verdict.evidence
        ],
    }


def _microseconds(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * 1_000_000)
