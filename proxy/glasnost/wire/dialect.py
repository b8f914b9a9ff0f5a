"""What every API has in common that asks for answers: a request becomes chat requests, and their answers its shapes.

The pipeline, and with it the auditor, knows chat completions alone. A dialect is pure: an id and the time are given.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from glasnost.wire.answer import Chunk, Completion
from glasnost.wire.chat import ChatRequest
from glasnost.wire.envelope import error_body


class Dialect(Protocol):
    """One request, and the way back for its answers; a completion or last chunk carries its `glasnost` object."""

    @property
    def requests(self) -> tuple[ChatRequest, ...]:
        """The chat requests that this one comes to, one exchange each; all of them are streamed, or none is."""
        ...

    def whole(self, completions: Sequence[Completion]) -> dict[str, Any]:
        """Give the body of a unary answer, from one completion for each request."""
        ...

    def frames(self, chunk: Chunk, number: int) -> bytes:
        """Give the events, framed, that the next chunk of the request of this number becomes; maybe none."""
        ...

    def end(self) -> bytes:
        """Give the events that end a stream which is whole."""
        ...

    def fail(self, error: BaseException) -> bytes:
        """Give the events that end a stream which is not: clients raise an exception on them."""
        ...


@dataclass(frozen=True, slots=True)
class Api:
    """One API: its name in metrics, how a body is read (with a fresh id and the time), and how an error looks."""

    name: str
    open: Callable[[Mapping[str, Any], str, int], Dialect]
    error_body: Callable[[BaseException], dict[str, Any]] = error_body
