"""What the ledger says of itself: which entries there must be, and which may be missing for a reason that it gives."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from glasnost.record.ledger.entry import Entry, Head, facts_of


@dataclass(frozen=True, slots=True)
class Claim:
    """Somebody saw this entry: `source` says who."""

    head: Head
    source: str


@dataclass(slots=True)
class Claims:
    """Claims by chain and number, and what was pruned and erased."""

    made: dict[str, dict[int, list[Claim]]] = field(default_factory=dict)
    pruned: dict[str, Head] = field(default_factory=dict)
    pruned_contents: dict[str, int] = field(default_factory=dict)
    erased: set[str] = field(default_factory=set)

    def add(self, claim: Claim) -> None:
        """Take a claim."""
        if claim.head.seq:
            self.made.setdefault(claim.head.chain, {}).setdefault(claim.head.seq, []).append(claim)

    def base(self, chain: str) -> Head:
        """Give the entry up to which a chain may be missing."""
        return self.pruned.get(chain, Head(chain))

    def read(self, notes: Iterable[Entry]) -> None:
        """Take what notes say; one that was changed is passed over, since it is found in its place."""
        for note in notes:
            try:
                self._read(note)
            except (KeyError, TypeError, ValueError, AttributeError):
                continue

    def _read(self, note: Entry) -> None:
        facts = facts_of(note.body)
        place = f"entry {note.seq} of chain {note.chain}"
        if note.kind == "genesis":
            for chain, (seq, digest) in facts["follows"].items():
                self.add(Claim(Head(chain, seq, digest), place))
        elif note.kind == "recovered":
            self.add(Claim(Head(facts["chain"], facts["seq"], facts["hash"]), place))
        elif note.kind == "erased" and note.exchange is not None:
            self.erased.add(note.exchange)
        elif note.kind == "pruned":
            for chain, (seq, digest) in facts["entries"].items():
                self.add(Claim(Head(chain, seq, digest), place))
                if seq > self.base(chain).seq:
                    self.pruned[chain] = Head(chain, seq, digest)
            for chain, seq in facts["contents"].items():
                self.pruned_contents[chain] = max(seq, self.pruned_contents.get(chain, 0))
