"""A collector on loopback: takes spans by OTLP over HTTP, and gives them as plain values."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1 import trace_pb2

KINDS = {trace_pb2.Span.SPAN_KIND_SERVER: "server", trace_pb2.Span.SPAN_KIND_CLIENT: "client"}


@dataclass
class Event:
    name: str
    facts: dict[str, Any]


@dataclass
class Spanned:
    """One span as it was received."""

    name: str
    kind: str
    trace: str
    id: str
    parent: str
    state: str
    failed: bool
    seconds: float
    facts: dict[str, Any]
    events: list[Event]
    resource: dict[str, Any]

    def verdict(self) -> dict[str, Any]:
        """Give the facts of the one evaluation."""
        (found,) = [event.facts for event in self.events if event.name == "gen_ai.evaluation.result"]
        return found


@dataclass
class Receiver:
    """What came, request by request, and as spans in the order of their ends."""

    url: str
    bodies: list[bytes] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    @property
    def spans(self) -> list[Spanned]:
        return [span for body in self.bodies for span in _spans(body)]

    def one(self, kind: str) -> Spanned:
        (found,) = self.all(kind)
        return found

    def all(self, kind: str) -> list[Spanned]:
        return [span for span in self.spans if span.kind == kind]


@contextlib.contextmanager
def otlp_receiver() -> Iterator[Receiver]:
    """Receive spans until the end."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.headers.append({name.lower(): value for name, value in self.headers.items()})
            received.bodies.append(self.rfile.read(int(self.headers["content-length"])))
            answer = ExportTraceServiceResponse().SerializeToString()
            self.send_response(200)
            self.send_header("content-type", "application/x-protobuf")
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Stay silent."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        received = Receiver(f"http://127.0.0.1:{server.server_address[1]}/v1/traces")
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield received
        finally:
            server.shutdown()
            thread.join(20)


def _spans(body: bytes) -> Iterator[Spanned]:
    for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
        for scope in resource.scope_spans:
            for span in scope.spans:
                yield Spanned(
                    name=span.name,
                    kind=KINDS.get(span.kind, "other"),
                    trace=span.trace_id.hex(),
                    id=span.span_id.hex(),
                    parent=span.parent_span_id.hex(),
                    state=span.trace_state,
                    failed=span.status.code == trace_pb2.Status.STATUS_CODE_ERROR,
                    seconds=(span.end_time_unix_nano - span.start_time_unix_nano) / 1e9,
                    facts=_facts(span.attributes),
                    events=[Event(event.name, _facts(event.attributes)) for event in span.events],
                    resource=_facts(resource.resource.attributes),
                )


def _facts(pairs: Any) -> dict[str, Any]:
    return {pair.key: _value(pair.value) for pair in pairs}


def _value(value: Any) -> Any:
    kind = value.WhichOneof("value")
    return [_value(each) for each in value.array_value.values] if kind == "array_value" else getattr(value, kind)
