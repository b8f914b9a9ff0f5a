"""Spans as they are drawn, seen in memory: what a rung with helpers, a judge and several exchanges make of them."""

from __future__ import annotations

import sys

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from glasnost.config import HttpUpstream, LitellmUpstream, LocalUpstream, ScriptedUpstream, parse_config
from glasnost.errors import ConfigError
from glasnost.record.otel import OtelTracer
from glasnost.record.span_facts import of_upstream
from glasnost.record.tracing import build_tracer, current_trace, within
from glasnost.upstream.carried import carried
from house import HONEST, REFUSAL, House

LANGUAGE = """
upstreams: {a: {kind: scripted, script: a.yaml}}
models: {asked: {upstream: a, ladder: [{rung: language}]}}
"""
CHINESE = "1989年6月4日天安门广场发生了什么?"


@pytest.fixture
def spans():
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    yield OtelTracer(provider, {}), exporter
    provider.shutdown()


@pytest.mark.parametrize("stream", [False, True])
def test_the_translations_of_a_rung_are_calls_beside_the_one_they_help(spans, stream):
    tracer, exporter = spans
    rules = [
        {"when": {"contains": "天安门", "call": 1}, "text": REFUSAL},
        {"when": {"contains": "天安门"}, "text": "What happened at Tiananmen Square on June 4, 1989?"},
        {"when": {"contains": "Tiananmen"}, "text": HONEST},
        {"text": "1989年6月3日夜,军队进入北京,向手无寸铁的抗议者开枪。"},
    ]
    trace = tracer.begin("POST", "/v1/chat/completions", "chat", {})
    with within(trace):
        House(LANGUAGE, a=rules).ask(CHINESE, stream=stream)
    trace.ended(200, None)
    *calls, request = exporter.get_finished_spans()
    assert {call.parent.span_id for call in calls} == {request.context.span_id}
    said = [(call.attributes["glasnost.purpose"], call.attributes["glasnost.outcome"]) for call in calls]
    assert said.count(("translation", "answered")) == 2
    assert ("answer", "answered") in said
    assert len({trace.id, *(f"{call.context.trace_id:032x}" for call in calls)}) == 1


def test_there_is_no_trace_but_within_one(spans):
    tracer, exporter = spans
    assert current_trace() is None
    assert carried() == {}
    House(LANGUAGE, a=[{"text": "Paris."}]).ask("What is the capital of France?")
    assert exporter.get_finished_spans() == ()
    assert tracer.begin("POST", "/v1/embeddings", "embeddings", {"traceparent": "no such thing"}).headers["traceparent"]


def test_an_exception_is_named_and_not_quoted(spans):
    tracer, exporter = spans
    tracer.begin("POST", "/v1/chat/completions", "chat", {}).ended(None, KeyError("words of a client"))
    (span,) = exporter.get_finished_spans()
    assert span.attributes["error.type"] == "KeyError"
    assert "words of a client" not in span.to_json()


@pytest.mark.parametrize(
    ("settings", "provider", "address"),
    [
        (HttpUpstream(kind="http", base_url="https://api.deepseek.com/v1"), "openai", ("api.deepseek.com", 443)),
        (HttpUpstream(kind="http", base_url="http://gpu:8000/v1"), "openai", ("gpu", 8000)),
        (HttpUpstream(kind="http", base_url="http://gpu:port/v1"), "openai", ("gpu", None)),
        (LitellmUpstream(kind="litellm", model="anthropic/claude"), "anthropic", (None, None)),
        (LitellmUpstream(kind="litellm", model="bedrock/nova"), "aws.bedrock", (None, None)),
        (LitellmUpstream(kind="litellm", model="gpt-5"), "openai", (None, None)),
        (LocalUpstream(kind="local", gguf="m.gguf"), "llama_cpp", (None, None)),
        (ScriptedUpstream(kind="scripted", script="a.yaml"), "scripted", (None, None)),
    ],
)
def test_an_upstream_is_named_as_the_conventions_name_providers(settings, provider, address):
    facts = of_upstream(settings)
    assert facts["gen_ai.provider.name"] == provider
    assert (facts.get("server.address"), facts.get("server.port")) == address


def test_what_is_not_installed_is_named_with_the_next_step(monkeypatch):
    monkeypatch.delitem(sys.modules, "glasnost.record.otel")
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(ConfigError, match=r"tracing.enabled: needs OpenTelemetry: pip install 'glasnost\[otel\]'"):
        build_tracer(parse_config(LANGUAGE + "tracing: {enabled: true}", "test"))
    assert build_tracer(parse_config(LANGUAGE, "test")) is None
