"""What is traced of a request, whoever draws it: a trace of the request, a call for each attempt at an upstream.

The trace of the request that is being served goes by a context variable; without one, nothing is done.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol

from glasnost.config import Config
from glasnost.errors import ConfigError, Problem
from glasnost.record.exchange import Attempt, Exchange
from glasnost.record.span_facts import of_upstream


class Call(Protocol):
    """One attempt while it goes on; `headers` are those that its request carries to the upstream."""

    @property
    def id(self) -> str:
        """What names the call in its trace."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers that make the upstream's own trace a part of this one."""
        ...

    def ended(self, attempt: Attempt) -> None:
        """Note how it ended."""
        ...


class Trace(Protocol):
    """One request of a client while it is served; one request can hold several exchanges."""

    @property
    def id(self) -> str:
        """What names the trace in logs, in the ledger and where it is looked at."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers of a request to an upstream that is no attempt."""
        ...

    def call(self, attempt: Attempt, api: str) -> Call:
        """Begin a call; `attempt` says what is known of it before, `api` which one the client speaks."""
        ...

    def closed(self, exchange: Exchange) -> None:
        """Note what became of an exchange."""
        ...

    def ended(self, status: int | None, error: BaseException | None) -> None:
        """Note that the request is over: with which status, None where none was sent, and what broke it off."""
        ...


class Tracer(Protocol):
    """Where traces begin and go."""

    def begin(self, method: str, path: str, endpoint: str, headers: Mapping[str, str]) -> Trace:
        """Begin the trace of a request to a path of ours, as a part of the trace that `headers` name."""
        ...

    def close(self) -> None:
        """Send what is left; may take seconds."""
        ...


def build_tracer(config: Config) -> Tracer | None:
    """Give what draws traces, None where none are wanted; raises ConfigError where it is not installed."""
    if not config.tracing.enabled:
        return None
    try:
        from glasnost.record.otel import OtelTracer, otlp_provider  # noqa: PLC0415 - an extra, and slow to load
    except ImportError:
        advice = "needs OpenTelemetry: pip install 'glasnost[otel]'"
        raise ConfigError("the configuration", [Problem("tracing.enabled", advice)]) from None
    facts = {name: of_upstream(settings) for name, settings in config.upstreams.items()}
    return OtelTracer(otlp_provider(config.tracing), facts)


_current: ContextVar[Trace | None] = ContextVar("trace", default=None)


def current_trace() -> Trace | None:
    """Give the trace of the request that is served in this context, None where it has none."""
    return _current.get()


@contextmanager
def within(trace: Trace) -> Iterator[None]:
    """Let all that is done meanwhile, in this context and those made from it, belong to `trace`."""
    before = _current.set(trace)
    try:
        yield
    finally:
        _current.reset(before)
