"""Entries and their chain: each holds the hash of the one before it, so that none can be changed or taken out unseen.

The hash of an entry is the SHA-256 of its body, which is JSON in one form only: keys sorted, no white space, UTF-8.
A chain belongs to one writer and begins with a `genesis` that names where the chains before it ended.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import orjson

Kind = Literal["genesis", "opened", "closed", "recovered", "gap", "pruned", "erased", "end"]
#: What is said of the ledger itself, rather than of an exchange that goes on.
NOTES: tuple[Kind, ...] = tuple(kind for kind in get_args(Kind) if kind not in ("opened", "closed"))
VERSION = 1
NOTHING = "0" * 64


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry; `at` is in microseconds since 1970, `exchange` None where it is about no single exchange."""

    chain: str
    seq: int
    kind: Kind
    at: int
    exchange: str | None
    body: str
    hash: str

    @property
    def head(self) -> Head:
        """The chain as it ends with this entry."""
        return Head(self.chain, self.seq, self.hash)


@dataclass(frozen=True, slots=True)
class Head:
    """Where a chain ends: the number and the hash of its last entry, 0 and zeros before the first."""

    chain: str
    seq: int = 0
    hash: str = NOTHING

    def seal(self, kind: Kind, at: int, facts: Mapping[str, Any], exchange: str | None = None) -> Entry:
        """Give the next entry of the chain."""
        seq = self.seq + 1
        body = canonical(
            {
                "v": VERSION,
                "chain": self.chain,
                "seq": seq,
                "prev": self.hash,
                "kind": kind,
                "at": at,
                "exchange": exchange,
                "facts": facts,
            }
        )
        return Entry(self.chain, seq, kind, at, exchange, body.decode(), digest(body))


def canonical(value: Any) -> bytes:
    """Give the one form of a JSON value that is hashed and signed."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def digest(data: bytes) -> str:
    """Give the SHA-256 in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def facts_of(body: str) -> dict[str, Any]:
    """Give the facts of a body that is known to be sound."""
    facts: dict[str, Any] = orjson.loads(body)["facts"]
    return facts


def flaw(entry: Entry, before: Head | None) -> str | None:
    """Say what is wrong with an entry as it was found, None when nothing is; `before` None trusts its link."""
    if digest(entry.body.encode()) != entry.hash:
        return "its body does not have its hash"
    try:
        body = orjson.loads(entry.body)
    except orjson.JSONDecodeError:
        return "its body is not JSON"
    columns = (entry.chain, entry.seq, entry.kind, entry.at, entry.exchange)
    if tuple(body.get(name) for name in ("chain", "seq", "kind", "at", "exchange")) != columns:
        return "its columns do not say what its body says"
    if before is not None and body.get("prev") != before.hash:
        return "it does not follow the entry before it"
    return None
