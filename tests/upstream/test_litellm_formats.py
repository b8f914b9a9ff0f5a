"""The LiteLLM upstream over three wire formats: each gives the same answers, errors and protection in our shapes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from glasnost.config import LitellmUpstream
from glasnost.errors import UpstreamError, UpstreamRejected, UpstreamUnavailable
from glasnost.upstream.carried import carrying
from glasnost.upstream.litellm import LitellmProvider
from glasnost.wire.answer import answers_of, finish_reasons_of, fragments_of
from glasnost.wire.chat import REFUSED_FIELDS, ChatRequest
from loopback import Handler, Loopback, Peer, ask, loopback
from providers import PROVIDERS, THOUGHT, Provider

# pydantic warns of what litellm does to its own types.
pytestmark = [
    pytest.mark.filterwarnings("ignore:.*`ReadOnly` qualifier"),
    pytest.mark.filterwarnings("ignore:Accessing the 'model_:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Pydantic serializer warnings"),
]

KEY = "sk-canary-litellm-0123456789"
TEXT = "The capital of France is Paris."
TOOL = {"type": "function", "function": {"name": "look_up", "parameters": {"type": "object", "properties": {}}}}
FORMATS = [pytest.param(each, id=each.name) for each in PROVIDERS]
Test = Callable[[LitellmProvider, Loopback], Awaitable[Any]]


def run(provider: Provider, test: Test, handler: Handler | None = None) -> Any:
    async def inside() -> Any:
        async with loopback(handler or provider.serve) as served:
            base = served.url.removesuffix("/v1") + provider.base
            settings = LitellmUpstream(kind="litellm", model=provider.model, base_url=base)
            return await test(LitellmProvider("ll", settings, KEY), served)

    return asyncio.run(inside())


def whole(provider: Provider, prompt: str, **fields: Any) -> tuple[dict[str, Any], Peer]:
    async def test(upstream: LitellmProvider, served: Loopback) -> Any:
        return await upstream.complete(ask(prompt, **fields)), served.peers[0]

    return run(provider, test)


def streamed(provider: Provider, prompt: str, **fields: Any) -> list[dict[str, Any]]:
    async def test(upstream: LitellmProvider, _: Loopback) -> Any:
        return [chunk async for chunk in upstream.stream(ask(prompt, **fields))]

    return run(provider, test)


def joined(chunks: list[dict[str, Any]], field: str) -> str:
    return "".join(each.text for chunk in chunks for each in fragments_of(chunk) if each.field == field)


def finish_of(chunks: list[dict[str, Any]]) -> list[str]:
    return [reason for chunk in chunks for reason in finish_reasons_of(chunk).values()]


@pytest.mark.parametrize("provider", FORMATS)
def test_an_answer_comes_whole_and_in_a_stream_with_what_it_took(provider):
    completion, peer = whole(provider, "What is the capital of France?")
    assert peer.line.split()[1] == provider.path
    assert answers_of(completion)[0].content == TEXT
    assert (answers_of(completion)[0].finish_reason, completion["usage"]["total_tokens"]) == ("stop", 16)
    chunks = streamed(provider, "What is the capital of France?")
    assert (joined(chunks, "content"), finish_of(chunks)) == (TEXT, ["stop"])
    assert chunks[-1]["choices"] == []
    assert chunks[-1]["usage"]["total_tokens"] == 16


@pytest.mark.parametrize("provider", FORMATS)
def test_a_call_of_a_tool_comes_both_ways(provider):
    completion, peer = whole(provider, "How is the weather?", tools=[TOOL])
    assert "look_up" in json.dumps(peer.json["tools"])
    (call,) = completion["choices"][0]["message"]["tool_calls"]
    assert (call["function"]["name"], json.loads(call["function"]["arguments"])) == ("look_up", {"city": "Paris"})
    assert completion["choices"][0]["finish_reason"] == "tool_calls"
    chunks = streamed(provider, "How is the weather?", tools=[TOOL])
    assert json.loads(joined(chunks, "tool_arguments")) == {"city": "Paris"}
    assert finish_of(chunks) == ["tool_calls"]


@pytest.mark.parametrize("provider", FORMATS)
def test_reasoning_is_where_it_is_audited_and_nowhere_else(provider):
    completion, _ = whole(provider, "Please think.")
    assert (answers_of(completion)[0].reasoning, answers_of(completion)[0].content) == (THOUGHT, TEXT)
    chunks = streamed(provider, "Please think.")
    assert (joined(chunks, "reasoning"), joined(chunks, "content")) == (THOUGHT, TEXT)
    for said in (completion, *chunks):
        assert json.dumps(said).count(THOUGHT) <= 1


@pytest.mark.parametrize("provider", FORMATS)
def test_reaching_the_length_is_told(provider):
    completion, _ = whole(provider, "Please be long.", max_tokens=3)
    assert answers_of(completion)[0].finish_reason == "length"
    assert finish_of(streamed(provider, "Please be long.", max_tokens=3)) == ["length"]


@pytest.mark.parametrize("provider", FORMATS)
@pytest.mark.parametrize(
    ("status", "kind", "expected"),
    [
        ("400 Bad Request", UpstreamRejected, 400),
        ("401 Unauthorized", UpstreamError, 502),
        ("403 Forbidden", UpstreamError, 502),
        ("404 Not Found", UpstreamRejected, 404),
        ("429 Too Many Requests", UpstreamRejected, 429),
        ("500 Internal Server Error", UpstreamRejected, 500),
    ],
)
def test_a_status_becomes_our_error_once_and_without_our_key(provider, status, kind, expected):
    async def refuse(peer: Peer) -> None:
        await peer.answer(json.loads(json.dumps(provider.error).replace("no", f"no {KEY}")), status)

    async def test(upstream: LitellmProvider, served: Loopback) -> tuple[UpstreamError, int]:
        with pytest.raises(UpstreamError) as caught:
            await upstream.complete(ask())
        asked = len(served.peers)
        with pytest.raises(UpstreamError) as again:
            _ = [chunk async for chunk in upstream.stream(ask())]
        assert again.value.status == caught.value.status
        return caught.value, asked

    raised, asked = run(provider, test, refuse)
    assert (type(raised), raised.status, asked) == (kind, expected, 1)
    assert KEY not in str(raised) + json.dumps(getattr(raised, "error", {}))


@pytest.mark.parametrize("provider", FORMATS)
def test_a_stream_that_is_cut_is_never_a_whole_one(provider):
    with pytest.raises(UpstreamUnavailable):
        streamed(provider, "Please break.")


@pytest.mark.parametrize("provider", FORMATS)
def test_no_field_of_a_client_reaches_credentials_or_address(provider):
    evil = dict.fromkeys(
        REFUSED_FIELDS | {"organization", "extra_body", "litellm_params", "timeout"}, "http://127.0.0.1:1/"
    )

    async def test(upstream: LitellmProvider, served: Loopback) -> Peer:
        request = ask(temperature=0.5)
        # A parsed request never has the refused fields; this upstream would not pass them on either.
        object.__setattr__(request, "body", {**request.body, **evil})
        assert answers_of(await upstream.complete(request))[0].content == TEXT
        return served.peers[0]

    peer = run(provider, test)
    assert "127.0.0.1:1/" not in peer.body.decode() + json.dumps(peer.headers)
    sent = {name: value for name, value in peer.headers.items() if KEY in value}
    assert set(sent) <= {"authorization", "x-api-key"}
    assert provider.name == "ollama" or sent


@pytest.mark.parametrize("provider", FORMATS)
def test_bare_text_is_asked_in_a_chat(provider):
    async def test(upstream: LitellmProvider, served: Loopback) -> tuple[Any, Peer]:
        body = {"model": "m", "messages": [{"role": "user", "content": "Once"}], "suffix": "x", "best_of": 1}
        return await upstream.complete(ChatRequest.parse(body, api="completions")), served.peers[0]

    completion, peer = run(provider, test)
    assert answers_of(completion)[0].content == TEXT
    assert "suffix" not in peer.json


@pytest.mark.parametrize("provider", FORMATS)
def test_the_headers_of_a_trace_are_carried_on(provider):
    with carrying({"traceparent": "00-1-2-01"}):
        _, peer = whole(provider, "What is the capital of France?")
    assert peer.headers["traceparent"] == "00-1-2-01"
