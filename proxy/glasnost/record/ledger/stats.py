"""How much a ledger holds, and what the answers in it were."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, func, select

from glasnost.record.ledger import read
from glasnost.record.ledger.entry import facts_of
from glasnost.record.ledger.rows import when
from glasnost.record.ledger.tables import contents, entries


@dataclass(slots=True)
class Stats:
    """Counts of exchanges by what became of them."""

    exchanges: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    actions: Counter[str] = field(default_factory=Counter)
    labels: Counter[str] = field(default_factory=Counter)

    def add(self, found: read.Found) -> None:
        """Count the end of an exchange."""
        facts = facts_of(found.entry.body)
        self.exchanges += 1
        self.outcomes[facts["outcome"]] += 1
        self.actions[facts["action"]] += 1
        label = facts["verdict"]["label"] if facts["verdict"] else "none"
        self.labels[f"{facts['model']}: {label}"] += 1


def stats(connection: Connection, since: int) -> dict[str, Any]:
    """Give the size of the whole, and the exchanges that ended from `since` on, in microseconds."""
    counted = Stats()
    for found in read.ends(connection, since):
        counted.add(found)
    amount, first, last = connection.execute(
        select(func.count(), func.min(entries.c.at), func.max(entries.c.at)).select_from(entries)
    ).one()
    is_note = entries.c.kind.not_in(("opened", "closed"))
    kinds = select(entries.c.kind, func.count().label("amount")).where(is_note).group_by(entries.c.kind)
    return {
        "chains": sum(1 for _ in read.chains(connection)),
        "entries": amount,
        "contents": connection.scalar(select(func.count()).select_from(contents)),
        "first": when(first) if first is not None else None,
        "last": when(last) if last is not None else None,
        "notes": {row.kind: row.amount for row in connection.execute(kinds)},
        "exchanges": counted.exchanges,
        "outcomes": dict(counted.outcomes.most_common()),
        "actions": dict(counted.actions.most_common()),
        "labels": dict(counted.labels.most_common()),
    }
