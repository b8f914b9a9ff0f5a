"""Every field that Glasnost does not own comes through as it was sent, and so do the headers that SDKs read."""

import asyncio
import json
from collections import deque
from contextlib import AsyncExitStack

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway import HARMLESS, body
from glasnost.cli.load import load_policies
from glasnost.config import parse_config
from glasnost.server.drain import Drain
from glasnost.services import build_service
from glasnost.wire import jsonio
from loopback import loopback

HEADERS = {
    "x_ratelimit_remaining_requests": "59",
    "openai_processing_ms": "113",
    "anthropic_ratelimit_tokens_reset": "2026-11-25T07:00:00Z",
    "x_should_retry": "true",
}

# 64 bits are what JSON parsers agree on; what an upstream sends beyond them is a float to most of them.
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(codec="utf-8"), max_size=20),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)
UNKNOWN = st.dictionaries(st.from_regex(r"x_[a-z]{1,8}", fullmatch=True), VALUES, max_size=2)
TEXTS = st.text(st.characters(codec="utf-8"), max_size=30)

some = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))


class World:
    """The gateway over an upstream that answers what it is told to."""

    def __init__(self):
        self.answers = deque()

    async def start(self, stack):
        served = await stack.enter_async_context(loopback(self._answer))
        config = parse_config(
            json.dumps(
                {
                    "upstreams": {"far": {"kind": "http", "base_url": served.url}},
                    "models": {"asked": {"upstream": "far"}},
                    "ledger": {"enabled": False},
                }
            ),
            "test",
        )
        app = build_service(config, load_policies(config), {}, {}, {}, drain=Drain())
        await stack.enter_async_context(app._app.router.lifespan_context(app._app))
        client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1")
        self.client = await stack.enter_async_context(client)

    async def _answer(self, peer):
        status, answer = self.answers.popleft()
        if isinstance(answer, dict):
            await peer.answer(jsonio.dumps(answer), status=status, x_request_id="up-1", set_cookie="a=b", **HEADERS)
            return
        await peer.head(
            content_type="text/event-stream",
            connection="close",
            x_request_id="up-1",
            openai_organization="o",
            **HEADERS,
        )
        for each in answer:
            await peer.event(jsonio.dumps(each))
        await peer.event(b"[DONE]")
        peer.writer.close()

    async def ask(self, answer, status="200 OK", **fields):
        self.answers.append((status, answer))
        return await self.client.post("/v1/chat/completions", json=body(HARMLESS, **fields))


@pytest.fixture(scope="module")
def world():
    with asyncio.Runner() as runner:
        world, stack = World(), AsyncExitStack()
        runner.run(world.start(stack))
        world.run = runner.run
        yield world
        runner.run(stack.aclose())


@st.composite
def messages(draw):
    """Draw a message or a delta, with every field that carries text and some that nobody knows."""
    fields = {
        "content": draw(st.none() | TEXTS),
        "reasoning_content": draw(TEXTS),
        "refusal": None,
        "annotations": draw(VALUES),
        "tool_calls": [
            {"index": 0, "id": "c", "type": "function", "function": {"name": "f", "arguments": draw(TEXTS)}}
        ],
        **draw(UNKNOWN),
    }
    kept = draw(st.sets(st.sampled_from(sorted(fields))))
    return {name: value for name, value in fields.items() if name in kept}


@st.composite
def choices(draw, part, index, reason):
    token = {"token": draw(TEXTS), "logprob": -0.25, "bytes": None, "top_logprobs": [], **draw(UNKNOWN)}
    logprobs = draw(st.none() | st.just({"content": [token], "refusal": None}))
    return {"index": index, part: draw(messages()), "logprobs": logprobs, "finish_reason": reason, **draw(UNKNOWN)}


@st.composite
def frames(draw, kind):
    own = {"id": draw(TEXTS), "object": kind, "created": draw(st.integers(0, 2**40)), "model": "its-own-name"}
    return {**own, "system_fingerprint": draw(st.none() | TEXTS), **draw(UNKNOWN)}


@st.composite
def completions(draw):
    count = draw(st.integers(1, 3))
    usage = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3, **draw(UNKNOWN)}
    parts = [draw(choices("message", index, "stop")) for index in range(count)]
    return {**draw(frames("chat.completion")), "choices": parts, "usage": usage}


@st.composite
def streams(draw):
    """Draw chunks of one or two choices, mixed, with usage at the end."""
    frame = draw(frames("chat.completion.chunk"))
    count = draw(st.integers(1, 2))
    order = draw(st.lists(st.integers(0, count - 1), max_size=6))
    parts = [[draw(choices("delta", index, None))] for index in order]
    parts += [[draw(choices("delta", index, "stop"))] for index in range(count)]
    chunks = [{**frame, **draw(UNKNOWN), "choices": each} for each in parts]
    usage = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3, **draw(UNKNOWN)}
    return count, [*chunks, {**frame, "choices": [], "usage": usage}]


def without_ours(value):
    return {key: each for key, each in value.items() if key not in ("glasnost", "model")}


@some
@given(completions())
def test_a_completion_comes_through_with_only_its_model_and_the_verdict_being_ours(world, completion):
    answer = world.run(world.ask(completion, n=len(completion["choices"]))).json()
    assert without_ours(answer) == without_ours(completion)
    assert answer["model"] == "asked"


@some
@given(streams())
def test_the_chunks_of_a_stream_come_through_in_order_and_whole(world, drawn):
    count, chunks = drawn
    got = world.run(world.ask(chunks, n=count, stream=True, stream_options={"include_usage": True}))
    events = [line.removeprefix("data: ") for line in got.text.split("\n") if line.startswith("data: ")]
    assert events[-1] == "[DONE]"
    received = [json.loads(event) for event in events[:-1]]
    assert [without_ours(each) for each in received] == [without_ours(each) for each in chunks]
    assert "glasnost" in received[-1]


def names(headers):
    return {name.replace("_", "-"): value for name, value in headers.items()}


@pytest.mark.parametrize("stream", [True, False])
def test_the_headers_that_sdks_read_come_through_and_no_others(world, stream):
    delta = {"delta" if stream else "message": {"content": "Paris."}}
    answer = {
        "id": "c",
        "object": "x",
        "created": 1,
        "model": "m",
        "choices": [{"index": 0, "finish_reason": "stop", **delta}],
    }
    got = world.run(world.ask([answer] if stream else answer, stream=stream))
    assert {**names(HEADERS), "x-upstream-request-id": "up-1"}.items() <= dict(got.headers).items()
    assert got.headers["x-request-id"] != "up-1"
    assert "openai-organization" not in got.headers
    assert "set-cookie" not in got.headers


@pytest.mark.parametrize(("seconds", "told"), [("17", "17"), ("7200", "120")])
def test_the_headers_of_a_rejection_come_through_and_retry_after_is_never_too_long_for_sdks(world, seconds, told):
    error = {"error": {"message": "Slow down.", "type": "requests", "param": None, "code": "rate_limit_exceeded"}}
    HEADERS["retry_after"] = seconds
    try:
        got = world.run(world.ask(error, status="429 Too Many Requests"))
    finally:
        del HEADERS["retry_after"]
    assert got.status_code == 429
    assert got.headers["retry-after"] == told
    assert names(HEADERS).items() <= dict(got.headers).items()
