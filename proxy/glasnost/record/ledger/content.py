"""What was said, kept beside the chain, and the salted hashes by which the chain vouches for it.

Whoever erases the content erases its salt too: what is left in the chain then says nothing to anybody, not even to one
who can guess what was said, and the chain stays whole.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, Literal

from glasnost.config import Content
from glasnost.record.exchange import EXCERPT_CHARS, Exchange
from glasnost.record.ledger.entry import canonical
from glasnost.record.redactor import Redactor

SALT_BYTES = 32
Part = Literal["whole", "kept"]


@dataclass(frozen=True, slots=True)
class Sealed:
    """The facts that go into the chain, and what is kept beside it."""

    facts: dict[str, Any]
    salt: bytes
    text: str | None


def seal(exchange: Exchange, mode: Content, redactor: Redactor, salt: bytes) -> Sealed | None:
    """Give the content of an exchange as `mode` keeps it, None when it keeps nothing."""
    if mode == "none":
        return None
    whole = _printed(_whole(exchange), redactor)
    hashes: dict[str, str] = {"whole": commitment("whole", salt, whole)}
    text = whole if mode == "full" else None
    if mode == "excerpt":
        text = _printed(_excerpt(exchange), redactor)
        hashes["kept"] = commitment("kept", salt, text)
    return Sealed({"mode": mode, **hashes}, salt, text)


def commitment(part: Part, salt: bytes, text: str) -> str:
    """Give the salted hash of a content; the part's name goes in, so that one cannot stand for the other."""
    return hashlib.sha256(b"glasnost content " + part.encode() + b"\n" + salt + text.encode()).hexdigest()


def holds(facts: dict[str, Any], salt: bytes, text: str | None) -> bool:
    """Say whether a content that is kept is the one that the chain vouches for; a salt alone cannot be wrong."""
    if text is None:
        return facts.get("mode") == "hash" and len(salt) == SALT_BYTES
    part: Part = "whole" if facts.get("mode") == "full" else "kept"
    return commitment(part, salt, text) == facts.get(part)


def _printed(value: dict[str, Any], redactor: Redactor) -> str:
    try:
        return canonical(redactor.value(value)).decode()
    except TypeError:  # a lone surrogate, which JSON can spell and UTF-8 cannot
        return canonical(_encodable(redactor.value(value))).decode()


def _encodable(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {key: _encodable(each) for key, each in value.items()}
    return [_encodable(each) for each in value] if isinstance(value, list) else value


def _whole(exchange: Exchange) -> dict[str, Any]:
    return {
        "messages": [{"role": turn.role, "text": turn.text} for turn in exchange.conversation.turns],
        "attempts": [
            {
                "rung": attempt.rung,
                "model": attempt.model,
                "answers": [{field: text for field, text in answer.texts() if text} for answer in attempt.answers],
            }
            for attempt in exchange.attempts
        ],
    }


def _excerpt(exchange: Exchange) -> dict[str, Any]:
    return {
        "prompt": exchange.conversation.prompt[:EXCERPT_CHARS],
        "attempts": [
            {"rung": attempt.rung, "model": attempt.model, "excerpt": attempt.excerpt} for attempt in exchange.attempts
        ],
        "evidence": [piece.text[:EXCERPT_CHARS] for piece in (exchange.verdict.evidence if exchange.verdict else ())],
    }
