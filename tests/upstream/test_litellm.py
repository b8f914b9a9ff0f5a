"""The LiteLLM upstream against a real server, and what a client may and may not reach through it."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable
from contextlib import aclosing, suppress
from typing import Any

import pytest

from glasnost.config import LitellmUpstream, TimeoutSettings
from glasnost.errors import (
    GlasnostError,
    InvalidRequest,
    UpstreamError,
    UpstreamRejected,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from glasnost.upstream.litellm import FIELDS, LitellmProvider
from glasnost.wire.answer import answers_of, finish_reasons_of, fragments_of
from glasnost.wire.chat import ChatRequest
from loopback import Handler, Loopback, Peer, ask, chunk, completion, loopback

# pydantic warns of what litellm does to its own types.
pytestmark = [
    pytest.mark.filterwarnings("ignore:.*`ReadOnly` qualifier"),
    pytest.mark.filterwarnings("ignore:Accessing the 'model_:DeprecationWarning"),
]

KEY = "sk-canary-litellm-0123456789"
USAGE = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}


def run(handler: Handler, test: Callable[[LitellmProvider, Loopback], Awaitable[Any]], **settings: Any) -> Any:
    async def inside() -> Any:
        async with loopback(handler) as served:
            given = LitellmUpstream(kind="litellm", model="openai/real", base_url=served.url, **settings)
            provider = LitellmProvider("ll", given, KEY)
            await provider.start()
            try:
                return await test(provider, served)
            finally:
                await provider.aclose()

    return asyncio.run(inside())


async def serve(peer: Peer) -> None:
    if not peer.json.get("stream"):
        await peer.answer({**completion(), "usage": USAGE, "x_future": 1})
        return
    await peer.events()
    for event in (
        chunk({"role": "assistant", "content": ""}),
        chunk({"reasoning_content": "hm"}),
        {**chunk({"content": "Pa", "x_new": 1})},
        chunk({"content": "ris."}),
        chunk({}, "stop"),
        {**chunk({}), "choices": [], "usage": USAGE},
        b"[DONE]",
    ):
        await peer.event(event)
    peer.writer.close()


def answering(value: Any, status: str = "200 OK", **headers: str) -> Handler:
    async def handler(peer: Peer) -> None:
        await peer.answer(value, status, **headers)

    return handler


async def ask_once(provider: LitellmProvider, _: Loopback) -> Any:
    return await provider.complete(ask())


async def stream_once(provider: LitellmProvider, _: Loopback) -> list[Any]:
    return [chunk async for chunk in provider.stream(ask())]


def test_a_completion_comes_back_with_fields_that_nobody_knows():
    answer = run(serve, ask_once)
    assert answers_of(answer)[0].content == "Paris."
    assert (answer["x_future"], answer["usage"]["total_tokens"]) == (1, 3)


def test_a_stream_comes_back_in_the_shape_of_openai():
    chunks = run(serve, stream_once)
    fragments = [(f.field, f.text) for item in chunks for f in fragments_of(item)]
    assert fragments == [("reasoning", "hm"), ("content", "Pa"), ("content", "ris.")]
    assert [item["choices"][0]["delta"].get("x_new") for item in chunks if item["choices"]].count(1) == 1
    assert [reason for item in chunks for reason in finish_reasons_of(item).values()] == ["stop"]
    assert chunks[-1]["choices"] == []
    assert chunks[-1]["usage"]["total_tokens"] == 3


def test_a_refusal_stays_where_it_is_audited():
    refused = completion()
    refused["choices"][0]["message"] = {"role": "assistant", "content": None, "refusal": "I cannot."}
    answer = run(answering(refused), ask_once)
    assert answers_of(answer)[0].refusal == "I cannot."
    assert "provider_specific_fields" not in answer["choices"][0]["message"]


def test_nothing_that_a_client_sends_reaches_litellms_own_settings():
    evil = {
        "num_retries": 5,
        "metadata": {"x": 1},
        "deployment_id": "d",
        "model_list": [],
        "extra_body": {"x": 1},
        "timeout": 0.001,
        "organization": "o",
        "mock_tool_calls": [],
        "proxy_server_request": {},
        "litellm_params": {},
        "shared_session": 1,
        "x_future": 1,
    }

    async def test(provider: LitellmProvider, served: Loopback) -> Peer:
        # Parsed requests have no fields like `api_base`; this upstream would not pass them on either.
        request = ask(temperature=0.5, **evil)
        for name in ("api_base", "base_url", "api_key", "custom_llm_provider", "mock_response", "extra_headers"):
            object.__setattr__(request, "body", {**request.body, name: "http://127.0.0.1:1/"})
        await provider.complete(request)
        return served.peers[0]

    peer = run(serve, test)
    assert peer.headers["authorization"] == f"Bearer {KEY}"
    assert peer.json == {"model": "real", "messages": ask().body["messages"], "temperature": 0.5}


def test_fields_of_messages_that_are_litellms_own_are_left_out():
    message = {"role": "user", "content": "x", "cache_control": {"type": "ephemeral"}, "provider_specific_fields": {}}

    async def test(provider: LitellmProvider, served: Loopback) -> Any:
        await provider.complete(ChatRequest.parse({"model": "m", "messages": [message]}))
        return served.peers[0].json["messages"]

    assert run(serve, test) == [{"role": "user", "content": "x"}]


@pytest.mark.parametrize(
    "fields",
    [
        {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "http://127.0.0.1/"}}]}]},
        {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": "file:///etc/passwd"}]}]},
        {"messages": [{"role": "user", "content": [{"type": "image_url"}]}]},
        {"messages": [{"role": "user", "content": [{"type": "file", "file": {"file_id": "http://127.0.0.1/"}}]}]},
        {"tools": [{"type": "mcp", "server_url": "http://127.0.0.1/"}]},
        {"tools": ["x"]},
        {"tools": {"type": "function"}},
    ],
)
def test_what_would_be_fetched_from_here_is_refused(fields):
    async def test(provider: LitellmProvider, served: Loopback) -> int:
        with pytest.raises(InvalidRequest):
            await provider.complete(ChatRequest.parse({**ask().body, **fields}))
        return served.connections

    assert run(serve, test) == 0


def test_an_image_that_comes_with_the_request_is_passed_on():
    part = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}

    async def test(provider: LitellmProvider, served: Loopback) -> Any:
        body = {"model": "m", "messages": [{"role": "user", "content": [part]}], "tools": [tool]}
        await provider.complete(ChatRequest.parse(body))
        return served.peers[0].json

    sent = run(serve, test)
    assert (sent["messages"][0]["content"], sent["tools"]) == ([part], [tool])


@pytest.mark.parametrize(
    ("status", "error", "expected", "code"),
    [
        ("400 Bad Request", {"message": f"bad {KEY}"}, (UpstreamRejected, 400), None),
        (
            "400 Bad Request",
            {"message": "This model's maximum context length is 5 tokens.", "code": "context_length_exceeded"},
            (UpstreamRejected, 400),
            "context_length_exceeded",
        ),
        ("401 Unauthorized", {"message": f"Incorrect API key: {KEY}"}, (UpstreamError, 502), None),
        ("403 Forbidden", {"message": f"no {KEY}"}, (UpstreamError, 502), None),
        ("404 Not Found", {"message": "no such model"}, (UpstreamRejected, 404), None),
        ("429 Too Many Requests", {"message": "slow down"}, (UpstreamRejected, 429), None),
        ("500 Internal Server Error", {"message": f"oops {KEY}"}, (UpstreamRejected, 500), None),
    ],
)
def test_errors_become_ours_without_our_key_and_without_retries(status, error, expected, code):
    async def test(provider: LitellmProvider, served: Loopback) -> tuple[UpstreamError, int]:
        with pytest.raises(UpstreamError) as caught:
            await provider.complete(ask())
        return caught.value, len(served.peers)

    raised, requests = run(answering({"error": error}, status, retry_after="7"), test)
    assert (type(raised), raised.status) == expected
    assert KEY not in str(raised) + json.dumps(getattr(raised, "error", {}))
    assert requests == 1
    if raised.status == 429:
        assert raised.retry_after == 7
    if code:
        assert raised.error["code"] == code


def test_a_server_that_is_not_there_is_unavailable():
    async def test(provider: LitellmProvider, served: Loopback) -> None:
        await served.stop()
        with pytest.raises(UpstreamUnavailable):
            await provider.complete(ask())

    run(serve, test)


def test_a_provider_that_litellm_does_not_know_is_an_error_that_says_so():
    async def inside() -> UpstreamError:
        provider = LitellmProvider("ll", LitellmUpstream(kind="litellm", model="no-such-provider/x"), KEY)
        assert (provider.name, provider.ready()) == ("ll", True)
        with pytest.raises(UpstreamError, match="LLM Provider NOT provided") as caught:
            await provider.complete(ask())
        return caught.value

    assert asyncio.run(inside()).status == 400


async def cut(peer: Peer) -> None:
    await peer.head(content_type="text/event-stream", transfer_encoding="chunked")
    event = b"data: " + json.dumps(chunk({"content": "x"})).encode() + b"\n\n"
    await peer.send(b"%x\r\n%s\r\n400\r\n" % (len(event), event))
    await asyncio.sleep(0.2)
    peer.writer.transport.abort()


async def ends_early(peer: Peer) -> None:
    await peer.events()
    await peer.event(chunk({"content": "x"}))
    peer.writer.close()


async def reports(peer: Peer) -> None:
    await peer.events()
    await peer.event(chunk({"content": "x"}))
    await peer.event({"error": {"message": "boom", "code": 500}})
    peer.writer.close()


@pytest.mark.parametrize("handler", [cut, ends_early, reports])
def test_a_stream_that_is_cut_is_unavailable(handler):
    with pytest.raises(UpstreamUnavailable):
        run(handler, stream_once)


@pytest.mark.model
def test_an_engine_of_our_own_answers_through_litellm(smollm_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    line = [sys.executable, "-m", "glasnost", "engine", str(smollm_path), "--name", "smol", "--port", str(port)]
    options = ["--ctx", "1024", "--slots", "1", "--parent", str(os.getpid())]
    environ = {**os.environ, "GLASNOST_ENGINE_KEY": KEY}
    settings = LitellmUpstream(kind="litellm", model="openai/smol", base_url=f"http://127.0.0.1:{port}/v1")

    async def inside() -> None:
        provider, stranger = LitellmProvider("ll", settings, KEY), LitellmProvider("ll", settings)
        request = ask(max_tokens=8, temperature=0)
        whole = None
        async with asyncio.timeout(60):
            while whole is None:
                with suppress(UpstreamUnavailable):
                    whole = await provider.complete(request)
        chunks = [chunk async for chunk in provider.stream(request)]
        streamed = "".join(fragment.text for chunk in chunks for fragment in fragments_of(chunk))
        assert answers_of(whole)[0].content == streamed != ""
        assert chunks[-1]["usage"]["completion_tokens"] == whole["usage"]["completion_tokens"] == 8
        with pytest.raises(UpstreamError, match="credentials"):
            await stranger.complete(request)

    with subprocess.Popen([*line, *options], env=environ, stderr=subprocess.DEVNULL) as engine:
        try:
            asyncio.run(inside())
        finally:
            engine.terminate()


async def silent(peer: Peer) -> None:
    await peer.gone()


async def stalls(peer: Peer) -> None:
    await peer.events()
    await peer.event(chunk({"content": "x"}))
    await peer.event(chunk({"content": "y"}))
    await peer.gone()


@pytest.mark.parametrize(
    ("handler", "test", "phase"),
    [(silent, ask_once, "total"), (silent, stream_once, "ttft"), (stalls, stream_once, "idle")],
)
def test_silence_is_a_timeout_that_names_its_phase(handler, test, phase):
    run(serve, ask_once)  # the import of litellm is not what is measured
    with pytest.raises(UpstreamTimeout) as caught:
        run(handler, test, timeouts=TimeoutSettings(first_token=0.5, idle=0.5, total=1.0))
    assert caught.value.phase == phase


@pytest.mark.parametrize(("handler", "streamed"), [(silent, False), (silent, True), (stalls, True)])
def test_a_client_that_leaves_closes_the_connection(handler, streamed):
    async def test(provider: LitellmProvider, _: Loopback) -> float:
        async def consume() -> None:
            if not streamed:
                await provider.complete(ask())
                return
            async with aclosing(provider.stream(ask())) as chunks:
                async for _ in chunks:
                    pass

        task = asyncio.create_task(consume())
        await started.wait()
        await asyncio.sleep(0.3)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        began = asyncio.get_running_loop().time()
        await asyncio.wait_for(left.wait(), 5)
        return asyncio.get_running_loop().time() - began

    started, left = asyncio.Event(), asyncio.Event()

    async def watched(peer: Peer) -> None:
        started.set()
        await handler(peer)
        left.set()

    assert run(watched, test) < 1


def test_nothing_is_printed_or_logged(capfd, caplog):
    with caplog.at_level(logging.DEBUG):
        with pytest.raises(GlasnostError):
            run(answering({"error": {"message": KEY}}, "400 Bad Request"), ask_once)
        run(serve, stream_once)
    out, err = capfd.readouterr()
    assert "litellm" not in (out + err).lower()
    assert KEY not in out + err + caplog.text


def test_importing_the_room_does_not_import_litellm():
    code = (
        "import sys, pkgutil, importlib, glasnost.upstream as room\n"
        "for module in pkgutil.iter_modules(room.__path__, room.__name__ + '.'): importlib.import_module(module.name)\n"
        "from glasnost.config import LitellmUpstream\n"
        "room.litellm.LitellmProvider('x', LitellmUpstream(kind='litellm', model='openai/x'))\n"
        "print([name for name in ('litellm', 'openai', 'llama_cpp', 'numpy') if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_fields_that_pass_are_none_of_litellms_settings():
    assert not FIELDS & {
        "api_base",
        "base_url",
        "api_key",
        "custom_llm_provider",
        "extra_headers",
        "extra_body",
        "model",
    }
