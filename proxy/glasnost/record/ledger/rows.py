"""An exchange as the ledger tells it to others: whole for JSON, and as one flat row for tables."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson

from glasnost.record.ledger.entry import facts_of
from glasnost.record.ledger.read import Found

COLUMNS = {
    "id": str,
    "at": str,
    "chain": str,
    "seq": int,
    "hash": str,
    "endpoint": str,
    "key": str,
    "model": str,
    "served_by": str,
    "mode": str,
    "outcome": str,
    "action": str,
    "label": str,
    "probability": float,
    "censored": bool,
    "topics": str,
    "policy": str,
    "seconds": float,
    "first_token_seconds": float,
    "attempts": int,
    "gguf_sha256": str,
    "template_sha256": str,
    "content": str,
}


def whole(found: Found) -> dict[str, Any]:
    """Give an entry with its place, its facts and what is kept beside it."""
    entry = found.entry
    return {
        "id": entry.exchange,
        "kind": entry.kind,
        "at": when(entry.at),
        "chain": entry.chain,
        "seq": entry.seq,
        "hash": entry.hash,
        **facts_of(entry.body),
        "kept": orjson.loads(found.text) if found.text else None,
    }


def flat(found: Found) -> dict[str, Any]:
    """Give the end of an exchange as a row of `COLUMNS`; times are seconds, None where something is not known."""
    facts = facts_of(found.entry.body)
    verdict = facts["verdict"] or {}
    served: dict[str, Any] = next(
        (each for each in reversed(facts["attempts"]) if each["model"] == facts["served_by"]), {}
    )
    identity = served.get("identity", {})
    return {
        "id": found.entry.exchange,
        "at": when(found.entry.at),
        "chain": found.entry.chain,
        "seq": found.entry.seq,
        "hash": found.entry.hash,
        **{
            name: facts[name]
            for name in ("endpoint", "key", "model", "served_by", "mode", "outcome", "action", "policy")
        },
        **{name: verdict.get(name) for name in ("label", "probability", "censored")},
        "topics": " ".join(facts["topics"]),
        "seconds": _seconds(facts["microseconds"]),
        "first_token_seconds": _seconds(facts["first_token_microseconds"]),
        "attempts": len(facts["attempts"]),
        "gguf_sha256": identity.get("gguf_sha256"),
        "template_sha256": identity.get("template_sha256"),
        "content": found.text,
    }


def when(at: int) -> str:
    """Give a time in microseconds as ISO 8601 in UTC."""
    return datetime.fromtimestamp(at // 1_000_000, UTC).replace(microsecond=at % 1_000_000).isoformat()


def _seconds(microseconds: int | None) -> float | None:
    return None if microseconds is None else microseconds / 1_000_000
