"""Chunks that Glasnost itself writes into a stream, in the order that real clients expect."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from glasnost.wire.answer import Chunk


@dataclass(frozen=True, slots=True)
class Frame:
    """What all chunks of one stream share."""

    id: str
    created: int
    model: str

    def chunk(
        self,
        delta: dict[str, Any],
        *,
        index: int = 0,
        finish_reason: str | None = None,
        logprobs: dict[str, Any] | None = None,
    ) -> Chunk:
        """Give a chunk with one choice."""
        choice = {"index": index, "delta": delta, "logprobs": logprobs, "finish_reason": finish_reason}
        return self.bare([choice])

    def usage(self, usage: dict[str, Any]) -> Chunk:
        """Give the usage chunk, whose `choices` is empty."""
        return {**self.bare([]), "usage": usage}

    def bare(self, choices: list[dict[str, Any]]) -> Chunk:
        """Give a chunk with these choices."""
        return {
            "id": self.id,
            "object": "chat.completion.chunk",
            "created": self.created,
            "model": self.model,
            "choices": choices,
        }
