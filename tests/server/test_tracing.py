"""The middleware of traces around applications that end in every way."""

from __future__ import annotations

import asyncio

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from structlog.contextvars import get_contextvars

from glasnost.record.otel import OtelTracer
from glasnost.record.tracing import current_trace
from glasnost.server.tracing import TraceMiddleware
from glasnost.upstream.carried import carried

PATH = "/v1/chat/completions"


@pytest.fixture
def exporter():
    return InMemorySpanExporter()


def serve(app, exporter, method="POST", path=PATH):
    """Run one request; raises what the application raised."""
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    traced = TraceMiddleware(app, OtelTracer(provider, {}), {PATH: "chat"})

    async def send(_):
        pass

    scope = {"type": "http", "method": method, "path": path, "headers": [(b"host", b"h")]}
    try:
        asyncio.run(traced(scope, None, send))
    finally:
        provider.shutdown()


def test_all_that_runs_for_a_request_knows_its_trace(exporter):
    seen = {}

    async def app(_scope, _receive, send):
        seen.update(get_contextvars(), of=current_trace().id, carried=carried()["traceparent"].split("-")[1:3])
        await send({"type": "http.response.start", "status": 200, "headers": []})

    serve(app, exporter)
    (span,) = exporter.get_finished_spans()
    trace = f"{span.context.trace_id:032x}"
    assert seen == {"trace_id": trace, "of": trace, "carried": [trace, f"{span.context.span_id:016x}"]}
    assert (current_trace(), carried(), get_contextvars()) == (None, {}, {})


def test_what_breaks_a_request_off_is_an_error_of_its_span_and_goes_on(exporter):
    async def app(_scope, _receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise ZeroDivisionError("of words")

    with pytest.raises(ZeroDivisionError):
        serve(app, exporter)
    (span,) = exporter.get_finished_spans()
    assert (span.attributes["error.type"], span.status.is_ok) == ("ZeroDivisionError", False)
    assert span.attributes["http.response.status_code"] == 200
    assert "of words" not in span.to_json()


@pytest.mark.parametrize(("method", "path"), [("GET", PATH), ("POST", "/v1/other")])
def test_what_takes_no_work_has_no_trace(exporter, method, path):
    async def app(*_):
        assert current_trace() is None

    serve(app, exporter, method, path)
    assert exporter.get_finished_spans() == ()
