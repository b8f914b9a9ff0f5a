"""What the layers of the server tell each other about one request, kept in the ASGI scope."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any

from glasnost.pipeline.caller import Caller
from glasnost.record.metrics import UNRESOLVED
from glasnost.wire.envelope import error_body

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,128}")


@dataclass(slots=True)
class RequestFacts:
    """Filled in on the way in, read for metrics and headers on the way out."""

    request_id: str
    endpoint: str = "other"
    model: str = UNRESOLVED
    stream: bool = False
    caller: Caller = field(default_factory=Caller)
    error_body: Callable[[BaseException], dict[str, Any]] = error_body

    @classmethod
    def open(cls, scope: MutableMapping[str, Any]) -> RequestFacts:
        """Make the facts of a new request; a client's `x-request-id` is kept when it is harmless."""
        given = dict(scope["headers"]).get(b"x-request-id", b"")
        request_id = given.decode() if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
        facts = cls(request_id)
        scope["glasnost.facts"] = facts
        return facts


def facts_of(scope: MutableMapping[str, Any]) -> RequestFacts:
    """Give the facts of the request in this scope."""
    facts = scope["glasnost.facts"]
    assert isinstance(facts, RequestFacts)  # noqa: S101 - set by our own outermost middleware
    return facts
