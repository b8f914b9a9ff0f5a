"""Calls of upstreams that are no attempts at an answer, and yet seen in the trace: judges, vectors."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from glasnost.errors import GlasnostError
from glasnost.record.exchange import Attempt, Purpose
from glasnost.record.tracing import current_trace
from glasnost.upstream.carried import carrying

T = TypeVar("T", bound=Mapping[str, Any])


async def traced(work: Awaitable[T], model: str, upstream: str, purpose: Purpose, api: str = "chat") -> T:
    """Give what `work` gives, which asks `upstream`; its tokens are noted where it tells them."""
    trace = current_trace()
    if trace is None:
        return await work
    attempt = Attempt("", model, upstream, "cancelled", 0.0, purpose=purpose)
    call = trace.call(attempt, api)
    try:
        with carrying(call.headers):
            answer = await work
        usage = answer.get("usage")
        attempt = replace(attempt, outcome="answered", usage=usage if isinstance(usage, dict) else None)
    except GlasnostError as error:
        attempt = replace(attempt, outcome="failed", error=error)
        raise
    finally:
        call.ended(attempt)
    return answer
