"""What a way of asking is, and the plain one: the client's request as it stands."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from glasnost.upstream.base import Upstream
from glasnost.wire.answer import Chunk, Completion
from glasnost.wire.chat import ChatRequest

#: Asks the model that helps a rung, and gives the whole answer.
Helper = Callable[[ChatRequest], Awaitable[Completion]]


@dataclass(frozen=True, slots=True)
class Ask:
    """What a way has at hand: the request as the rung may change it, who answers, and what the policy says.

    `censored` judges an answer as that of this exchange; `touches` says whether a text still names what it is about.
    """

    request: ChatRequest
    upstream: Upstream
    helper: Helper
    censored: Callable[[Completion], bool]
    touches: Callable[[str], bool]


class Way(Protocol):
    """One way to ask; what it cannot keep of a request it refuses, and the rung is skipped."""

    def lacks(self, request: ChatRequest) -> str | None:
        """Say what of `request` this way would lose, as a sentence; None when it keeps everything."""
        ...

    async def complete(self, ask: Ask) -> Completion:
        """Answer in one piece."""
        ...

    def stream(self, ask: Ask) -> AsyncGenerator[Chunk]:
        """Answer chunk by chunk; closing the generator closes what it reads."""
        ...


class Plain:
    """Sends the request as it stands."""

    def lacks(self, request: ChatRequest) -> str | None:  # noqa: ARG002  # another way looks at it
        """Lose nothing."""
        return None

    async def complete(self, ask: Ask) -> Completion:
        """Answer in one piece."""
        return await ask.upstream.complete(self.request(ask.request))

    def stream(self, ask: Ask) -> AsyncGenerator[Chunk]:
        """Answer chunk by chunk."""
        return ask.upstream.stream(self.request(ask.request))

    def request(self, request: ChatRequest) -> ChatRequest:
        """Give what goes out."""
        return request


PLAIN = Plain()
