"""The seam between the pipeline and everything that answers."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from typing import Any, Protocol, runtime_checkable

from glasnost.wire.answer import Chunk, Completion
from glasnost.wire.chat import ChatRequest


class Upstream(Protocol):
    """One thing that answers chat requests; every method raises only GlasnostError for what can go wrong.

    Cancelling the caller's task, or closing the generator, aborts the work upstream.
    """

    @property
    def name(self) -> str:
        """The upstream's name in the configuration."""
        ...

    def ready(self) -> bool:
        """Say whether a request would be served now, or after a start on demand; never blocks."""
        ...

    async def start(self) -> None:
        """Bring up what must run before the first request; returns without waiting for it to be ready."""
        ...

    async def complete(self, request: ChatRequest) -> Completion:
        """Answer in one piece."""
        ...

    def stream(self, request: ChatRequest) -> AsyncGenerator[Chunk]:
        """Answer chunk by chunk, usage chunk included, without `[DONE]`.

        A stream that ends without a finish reason for every choice raises UpstreamUnavailable.
        """
        ...

    async def aclose(self) -> None:
        """Release connections and processes."""
        ...


@runtime_checkable
class Api(Protocol):
    """What an upstream with an API of its own gives beside chat: its other paths, as they are."""

    async def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Ask a path, `/embeddings` for example; raises GlasnostError for what can go wrong."""
        ...

    async def get(self, path: str, *, seconds: float) -> Any:
        """Fetch a JSON document next to the API, `/props` for example; None when there is none within `seconds`."""
        ...
