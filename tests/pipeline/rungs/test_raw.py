"""The rung `raw` over a real socket: what reaches `/v1/completions`, and what the client gets."""

import asyncio

import pytest

from glasnost.config import HttpUpstream, parse_config
from glasnost.errors import ConfigError
from glasnost.pipeline.pipeline import Pipeline
from glasnost.upstream.http import HttpServer
from glasnost.wire.answer import fragments_of
from glasnost.wire.chat import ChatRequest
from house import HONEST, POLICY, REFUSAL, SENSITIVE, Notes
from loopback import completion, loopback

CONFIG = """
upstreams: {there: {kind: http, base_url: "http://127.0.0.1:1/v1"}}
models: {asked: {upstream: there, ladder: [{rung: raw}]}}
"""
USAGE = {"prompt_tokens": 9, "completion_tokens": 7, "total_tokens": 16}


async def exchange(texts, messages, *, stream, **fields):
    """Ask; give what `/v1/completions` was sent, the text that came and the `glasnost` object."""

    async def handler(peer):
        if peer.line.split()[1].endswith("/chat/completions"):
            await peer.answer(completion(REFUSAL)) if not peer.json["stream"] else await refused(peer)
            return
        choices = [{"index": i, "text": text, "finish_reason": "stop"} for i, text in enumerate(texts)]
        await peer.answer({"id": "t", "object": "text_completion", "created": 1, "choices": choices, "usage": USAGE})

    async def refused(peer):
        await peer.events()
        delta = {"role": "assistant", "content": REFUSAL}
        await peer.event({"id": "c", "created": 1, "model": "m", "choices": [{"index": 0, "delta": delta}]})
        await peer.event({"id": "c", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
        await peer.event(b"[DONE]")
        peer.writer.close()

    async with loopback(handler) as served:
        upstream = HttpServer("there", HttpUpstream(kind="http", base_url=served.url))
        pipeline = Pipeline(parse_config(CONFIG, "test"), {"there": upstream}, {("prc",): POLICY}, Notes())
        request = ChatRequest.parse({"model": "asked", "messages": messages, "stream": stream, **fields})
        try:
            if stream:
                chunks = [chunk async for chunk in pipeline.stream(request).chunks()]
                text = "".join(fragment.text for chunk in chunks for fragment in fragments_of(chunk))
                glasnost = chunks[-1]["glasnost"]
            else:
                answer, done = await pipeline.complete(request)
                text, glasnost = answer["choices"][0]["message"]["content"], done.as_dict()
        finally:
            await upstream.aclose()
        return served.peers[-1].json, text, glasnost


@pytest.mark.parametrize("stream", [False, True])
def test_raw_sends_the_conversation_as_text_and_gives_the_continuation(stream):
    messages = [
        {"role": "system", "content": "Be short."},
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": "Good day."},
        {"role": "user", "content": SENSITIVE},
    ]
    fields = {"temperature": 0.2, "stop": "###", "max_tokens": 90}
    sent, text, glasnost = asyncio.run(exchange([f" {HONEST}\n"], messages, stream=stream, **fields))
    said = f"Be short.\n\nQuestion: Hello\n\nAnswer: Good day.\n\nQuestion: {SENSITIVE}\n\nAnswer:"
    assert sent["prompt"].endswith(f"\n\n{said}")
    assert (sent["temperature"], sent["stop"], sent["max_tokens"]) == (0.2, ["###", "\nQuestion:"], 90)
    assert "messages" not in sent
    assert text == HONEST
    assert (glasnost["action"], glasnost["attempts"][-1]["rung"]) == ("reroute", "raw")
    assert glasnost["attempts"][-1]["usage"] == USAGE


def test_every_choice_of_raw_is_judged():
    messages = [{"role": "user", "content": SENSITIVE}]
    _, _, glasnost = asyncio.run(exchange([HONEST, REFUSAL], messages, stream=False, n=2))
    assert glasnost["attempts"][-1]["label"] == "refusal"


def test_raw_is_refused_where_an_upstream_has_no_completions():
    config = """
upstreams: {there: {kind: litellm, model: x/y}}
models: {asked: {upstream: there, ladder: [{rung: raw}]}}
"""
    with pytest.raises(ConfigError, match=r"models.asked.ladder\[0\].rung \(line 3\): needs upstreams"):
        parse_config(config, "test")
