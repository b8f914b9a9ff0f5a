"""The headers that the requests to upstreams carry on, those of a trace for example.

They go by a context variable, as what is heard of an answer does: the rungs that lie between have no use for them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

_NOTHING: Mapping[str, str] = {}
_carried: ContextVar[Mapping[str, str]] = ContextVar("carried", default=_NOTHING)


def carry(headers: Mapping[str, str]) -> None:
    """Let every request to an upstream in this context have these headers, in place of those before."""
    _carried.set(headers)


@contextmanager
def carrying(headers: Mapping[str, str]) -> Iterator[None]:
    """Do so for a while."""
    before = _carried.set(headers)
    try:
        yield
    finally:
        _carried.reset(before)


def carried() -> Mapping[str, str]:
    """Give the headers that a request to an upstream has beside its own."""
    return _carried.get()
