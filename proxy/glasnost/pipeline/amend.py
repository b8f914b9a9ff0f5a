"""An answer that goes on behind another: what of it is changed so that clients read the two as one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from glasnost.pipeline.attempt import StreamAttempt
from glasnost.pipeline.tail import Tail
from glasnost.wire.answer import Chunk


@dataclass(slots=True)
class Amendment:
    """The attempt whose beginning has left and whose rest will not, with the tail of its stream.

    If no other answer comes, the attempt's rest can still be let go.
    """

    attempt: StreamAttempt
    tail: Tail
    separator: str
    choices: int
    _begun: bool = field(init=False, default=False)

    def follow(self, chunk: Chunk) -> Iterator[Chunk]:
        """Give a chunk of the following answer as part of this stream, behind the separator if it is the first."""
        chunk["id"] = self.tail.id
        if not self._begun:
            self._begun = True
            yield from (self._separator(chunk, index) for index in range(self.choices))
        for choice in chunk.get("choices") or ():
            # Clients join the strings of deltas: a role that comes twice would be read as one long role.
            (choice.get("delta") or {}).pop("role", None)
        yield chunk

    def _separator(self, chunk: Chunk, index: int) -> Chunk:
        choice = {"index": index, "delta": {"content": self.separator}, "logprobs": None, "finish_reason": None}
        return {key: value for key, value in chunk.items() if key != "usage"} | {"choices": [choice]}
