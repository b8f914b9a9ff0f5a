"""`/v1/chat/completions`: the dialect that needs no translation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from glasnost.wire import jsonio, sse
from glasnost.wire.answer import Chunk, Completion
from glasnost.wire.chat import ChatRequest
from glasnost.wire.dialect import Api
from glasnost.wire.envelope import error_body


class ChatDialect:
    """One chat request."""

    def __init__(self, body: Mapping[str, Any], id: str, created: int) -> None:  # noqa: A002, ARG002  # those of the upstream are used
        self.requests = (ChatRequest.parse(body),)

    def whole(self, completions: Sequence[Completion]) -> dict[str, Any]:
        """Give the completion as it is."""
        return completions[0]

    def frames(self, chunk: Chunk, number: int) -> bytes:  # noqa: ARG002  # there is one request only
        """Give the chunk as it is."""
        return sse.encode(jsonio.dumps(chunk))

    def end(self) -> bytes:
        """End with `[DONE]`."""
        return sse.DONE

    def fail(self, error: BaseException) -> bytes:
        """Give an error frame, without a `[DONE]` after it."""
        return sse.encode(jsonio.dumps(error_body(error)))


CHAT = Api("chat", ChatDialect)
