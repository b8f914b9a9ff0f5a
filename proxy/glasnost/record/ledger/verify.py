"""Is everything still there, in its order, as it was written? Finds the place of every break, and goes on behind it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from glasnost.record.ledger import content, read
from glasnost.record.ledger.claims import Claim, Claims
from glasnost.record.ledger.entry import Entry, Head, facts_of, flaw


@dataclass(frozen=True, slots=True)
class Break:
    """Something that is not as it was written, and where."""

    chain: str
    seq: int
    what: str

    def __str__(self) -> str:
        """Render for a person."""
        return f"chain {self.chain}, entry {self.seq}: {self.what}"


@dataclass(slots=True)
class Counts:
    """How much was looked at."""

    chains: int = 0
    entries: int = 0
    contents: int = 0


def verify(connection: Connection, counts: Counts, checkpoints: Iterable[Claim] = ()) -> Iterator[Break]:
    """Give every break, chain by chain, and count what was looked at.

    Without checkpoints, nobody can say whether the newest entries were cut off, or the whole is an older copy.
    """
    claims = Claims()
    claims.read(read.notes(connection))
    for claim in checkpoints:
        claims.add(claim)
    for chain in read.chains(connection):
        counts.chains += 1
        yield from _chain(connection, chain, claims, counts)
    for chain, made in claims.made.items():
        yield from _cut(Head(chain), made, claims)


def _chain(connection: Connection, chain: str, claims: Claims, counts: Counts) -> Iterator[Break]:
    made = claims.made.pop(chain, {})
    last = Head(chain)
    for found in read.entries_of(connection, chain):
        entry = found.entry
        missing, before = _link(last, entry, claims.base(chain))
        if missing is not None:
            yield missing
        wrong = flaw(entry, before) or _against(made.pop(entry.seq, ()), entry) or _content(found, claims, counts)
        if wrong is not None:
            yield Break(chain, entry.seq, wrong)
        last = entry.head
        counts.entries += 1
    yield from _cut(last, made, claims)


def _link(last: Head, entry: Entry, base: Head) -> tuple[Break | None, Head | None]:
    """Say what is missing before an entry, and what the entry must follow, None where nobody knows."""
    if last.seq:
        if entry.seq == last.seq + 1:
            return None, last
    elif entry.seq == base.seq + 1:
        return None, base
    elif entry.seq <= base.seq:
        return None, None  # pruning has not come to its end yet
    first = max(last.seq, base.seq) + 1
    return Break(entry.chain, first, f"entries {first} to {entry.seq - 1} are missing"), None


def _against(claims: Iterable[Claim], entry: Entry) -> str | None:
    return next((f"it is not the one that {each.source} names" for each in claims if each.head != entry.head), None)


def _content(found: read.Found, claims: Claims, counts: Counts) -> str | None:
    entry = found.entry
    facts = facts_of(entry.body).get("content") if entry.kind == "closed" else None
    if facts is None:
        return None
    if found.salt is None:
        pruned = claims.pruned_contents.get(entry.chain, 0) >= entry.seq
        return None if pruned or entry.exchange in claims.erased else "its content is missing, and nothing says why"
    counts.contents += 1
    return None if content.holds(facts, found.salt, found.text) else "its content is not the one that was recorded"


def _cut(last: Head, made: Mapping[int, list[Claim]], claims: Claims) -> Iterator[Break]:
    """Give the break of a chain that ends before an entry that somebody saw."""
    end = max(last.seq, claims.base(last.chain).seq)
    beyond = [claim for seq, each in made.items() if seq > end for claim in each]
    if beyond:
        first = min(beyond, key=lambda claim: claim.head.seq)
        yield Break(last.chain, end + 1, f"the chain ends before it, and {first.source} names entry {first.head.seq}")
