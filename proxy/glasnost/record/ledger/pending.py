"""Records that are still to be written."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from glasnost.config import Content
from glasnost.record.exchange import Exchange
from glasnost.record.ledger import content, describe
from glasnost.record.ledger.chain import Said
from glasnost.record.ledger.entry import Entry, Head
from glasnost.record.redactor import Redactor


@dataclass(frozen=True, slots=True)
class Maker:
    """What is needed to make an entry of an exchange."""

    mode: Content
    redactor: Redactor
    identity: describe.Identity
    salt: Callable[[int], bytes] = secrets.token_bytes


@dataclass(slots=True, eq=False)
class Record:
    """One entry to be: what happened when, and who waits for it. `late` when nobody does any more."""

    kind: Literal["opened", "closed"]
    exchange: Exchange
    at: int
    maker: Maker
    waiting: asyncio.Future[None] | None = None
    timer: asyncio.TimerHandle | None = None
    late: bool = False

    def seal(self, head: Head) -> tuple[Entry, Said | None]:
        """Give the entry that follows `head`, with its content."""
        exchange, maker = self.exchange, self.maker
        if self.kind == "opened":
            facts = maker.redactor.value(describe.opened(exchange))
            return head.seal("opened", self.at, facts, exchange.id), None
        facts = maker.redactor.value(describe.closed(exchange, maker.identity))
        if self.late:
            facts["late"] = True
        said = content.seal(exchange, maker.mode, maker.redactor, maker.salt(content.SALT_BYTES))
        facts["content"] = said.facts if said else None
        entry = head.seal("closed", self.at, facts, exchange.id)
        return entry, Said(entry, said.salt, said.text) if said else None
