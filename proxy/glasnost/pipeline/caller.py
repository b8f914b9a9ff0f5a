"""Who asks: the key that was shown, if any, and what is left to it."""

from __future__ import annotations

from dataclasses import dataclass

from glasnost.config import KeySettings


@dataclass(frozen=True, slots=True)
class Caller:
    """A client of this exchange; `may_reroute` is false where its key has used up its rerouted tokens."""

    key: KeySettings | None = None
    may_reroute: bool = True

    @property
    def id(self) -> str:
        """The key's id, empty where no key is needed."""
        return self.key.id if self.key is not None else ""

    @property
    def packs(self) -> tuple[str, ...] | None:
        """The packs that judge this client's answers in place of the configured ones."""
        return self.key.packs if self.key is not None else None
