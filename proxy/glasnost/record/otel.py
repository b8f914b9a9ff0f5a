"""Traces as OpenTelemetry draws them: the only file that imports it, loaded where traces are switched on.

Rules kept here:
- a request is a SERVER span, every attempt at an upstream a CLIENT span below it;
- W3C `traceparent` and `tracestate` are taken up and carried on, baggage is not: it may hold anything;
- neither prompts nor answers are in spans, nor the messages of errors, which may quote them.
"""

from __future__ import annotations

from collections.abc import Mapping

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind, StatusCode, format_span_id, format_trace_id, set_span_in_context
from opentelemetry.trace import Tracer as Api
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from glasnost import __version__
from glasnost.config import TracingSettings
from glasnost.record import span_facts
from glasnost.record.exchange import Attempt, Exchange
from glasnost.record.span_facts import Attributes
from glasnost.record.upstream_metrics import outcome_of

_W3C = TraceContextTextMapPropagator()
_SUMMED = ("gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens")


def otlp_provider(settings: TracingSettings) -> TracerProvider:
    """Give what sends spans by OTLP over HTTP, as the SDK's own variables say where the settings are silent."""
    ours = Resource.create({"service.name": "glasnost", "service.version": __version__})
    provider = TracerProvider(resource=ours.merge(OTELResourceDetector().detect()))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=settings.endpoint)))
    return provider


class OtelTracer:
    """Begins the spans of requests; `upstreams` gives what all calls of an upstream have in common, by its name."""

    def __init__(self, provider: TracerProvider, upstreams: Mapping[str, Attributes]) -> None:
        self._provider = provider
        self._api = provider.get_tracer("glasnost", __version__)
        self._upstreams = upstreams

    def begin(self, method: str, path: str, endpoint: str, headers: Mapping[str, str]) -> RequestSpan:
        """Begin the span of a request."""
        facts = span_facts.of_request(method, path, endpoint)
        parent = _W3C.extract(headers)
        span = self._api.start_span(f"{method} {path}", parent, SpanKind.SERVER, facts)
        return RequestSpan(self._api, span, self._upstreams)

    def close(self) -> None:
        """Send what is left, for as long as OTEL_EXPORTER_OTLP_TIMEOUT and its kin allow."""
        self._provider.shutdown()


class RequestSpan:
    """The span of one request."""

    def __init__(self, api: Api, span: Span, upstreams: Mapping[str, Attributes]) -> None:
        self._api = api
        self._span = span
        self._upstreams = upstreams
        self._tokens: Attributes = {}
        self._left = False
        self.id = format_trace_id(span.get_span_context().trace_id)
        self.headers = _headers(span)

    def call(self, attempt: Attempt, api: str) -> CallSpan:
        """Begin the span of an attempt."""
        facts = span_facts.of_call(attempt, api) | self._upstreams.get(attempt.upstream, {})
        name = f"{facts['gen_ai.operation.name']} {facts['gen_ai.request.model']}"
        return CallSpan(self._api.start_span(name, set_span_in_context(self._span), SpanKind.CLIENT, facts))

    def closed(self, exchange: Exchange) -> None:
        """Note an exchange: of several, the last one's labels and the sum of their tokens."""
        facts = span_facts.of_exchange(exchange)
        for name in _SUMMED:
            counted, before = facts.get(name), self._tokens.get(name, 0)
            if isinstance(counted, int) and isinstance(before, int):
                self._tokens[name] = before + counted
        self._span.set_attributes(facts | self._tokens)
        self._left = self._left or exchange.outcome == "client_disconnected"
        for attempt in exchange.attempts:
            if not attempt.upstream:  # the answer was given elsewhere, so there was no call
                _note_judging(self._span, attempt)

    def ended(self, status: int | None, error: BaseException | None) -> None:
        """End the span; without a status, nobody was there any more to be answered."""
        if status is not None:
            self._span.set_attribute("http.response.status_code", status)
        if self._left or (status is None and error is None):
            self._span.set_attribute("error.type", "client_disconnected")
        elif error is not None:
            self._span.set_attribute("error.type", type(error).__name__)
            self._span.set_status(StatusCode.ERROR)
        elif status is not None and status >= 400:
            self._span.set_attribute("error.type", str(status))
            if status >= 500:  # by the conventions, what a client did wrong is no error of its server
                self._span.set_status(StatusCode.ERROR)
        self._span.end()


class CallSpan:
    """The span of one attempt, which ends when its answer is judged."""

    def __init__(self, span: Span) -> None:
        self._span = span
        self.id = format_span_id(span.get_span_context().span_id)
        self.headers = _headers(span)

    def ended(self, attempt: Attempt) -> None:
        """End the span with what came of the attempt."""
        self._span.set_attributes(span_facts.of_attempt(attempt))
        _note_judging(self._span, attempt)
        if attempt.error is not None:
            self._span.set_status(StatusCode.ERROR, outcome_of(attempt))
        self._span.end()


def _note_judging(span: Span, attempt: Attempt) -> None:
    for asked in attempt.consulted:
        span.add_event(span_facts.CONSULTATION, span_facts.of_consultation(asked))
    if attempt.verdict is not None:
        span.add_event(span_facts.EVALUATION, span_facts.of_verdict(attempt.verdict))


def _headers(span: Span) -> dict[str, str]:
    headers: dict[str, str] = {}
    _W3C.inject(headers, set_span_in_context(span))
    return headers
