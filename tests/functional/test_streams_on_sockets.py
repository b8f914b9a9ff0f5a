"""Streams over real sockets on both sides: censored ones, stalls, clients that read slowly or leave, cut upstreams."""

import asyncio
import contextlib
import json
import random
import socket

import httpx
import pytest

from gagged import answer_of, answers_in, chunks_of
from gateway import HARMLESS, HONEST, SENSITIVE, body, gateway
from glasnost.audit.audit import audit
from glasnost.wire import jsonio
from glasnost.wire.conversation import Conversation
from loopback import chunk, loopback
from packs import compiled

POLICY = compiled(("prc",))
CONFIG = """
upstreams:
  far: {{kind: http, base_url: "{url}"}}
  gagged: {{kind: scripted, script: gagged.yaml}}
  open: {{kind: scripted, script: open.yaml}}
models:
  asked: {{upstream: far, ladder: [{{rung: model, model: alternative}}]}}
  alternative: {{upstream: open}}
stream: {stream}
"""
UNDECIDED = "It was in the spring of that year. The weather was mild. "


@contextlib.asynccontextmanager
async def world(handler, **stream):
    """Run an upstream and the gateway over it; the gateway has a thread of its own."""
    async with loopback(handler) as served, httpx.AsyncClient(timeout=60) as client:
        with gateway(CONFIG.format(url=served.url, stream=json.dumps(stream))) as each:
            client.base_url = each.url
            yield served, each, client


async def lines_of(client, request, **headers):
    async with client.stream("POST", "/v1/chat/completions", json=request, headers=headers) as response:
        async for line in response.aiter_lines():
            yield line


async def read(client, request, **headers):
    """Give the text of every choice and the last `glasnost` object."""
    texts, last = {}, None
    async for line in lines_of(client, request, **headers):
        if line.startswith("data: {"):
            last = json.loads(line.removeprefix("data: "))
            for choice in last.get("choices", ()):
                texts[choice["index"]] = texts.get(choice["index"], "") + (choice["delta"].get("content") or "")
    return texts, last


def censored(count):
    """Draw censored answers as bytes of an upstream's stream, cut into packets."""
    chance = random.Random(64)
    while count:
        choices = [answer_of(chance)]
        if audit(POLICY, Conversation.ask(SENSITIVE), answers_in(choices)).censored:
            count -= 1
            events = [b"data: " + jsonio.dumps(each) + b"\r\n\r\n" for each in chunks_of(chance, choices)]
            data = b"".join(events) + b"data: [DONE]\n\n"
            size = chance.choice([7, 100, 1_000])
            yield [data[at : at + size] for at in range(0, len(data), size)]


@pytest.mark.parametrize("mode", ["hold", "full"])
def test_the_client_of_a_censored_stream_gets_the_alternative_alone(mode):
    answers = list(censored(30))

    async def answer(peer):
        packets = answers.pop()
        await peer.events()
        for packet in packets:
            await peer.send(packet)
            await asyncio.sleep(0)
        peer.writer.close()

    async def scenario():
        async with world(answer) as (_, _, client):
            asked = [
                read(client, body(SENSITIVE, stream=True), **{"x-glasnost-mode": mode}) for _ in range(len(answers))
            ]
            for texts, last in await asyncio.gather(*asked):
                assert texts == {0: HONEST}
                assert last["glasnost"]["action"] == "reroute"

    asyncio.run(scenario())


def test_a_stalled_stream_is_kept_alive_and_leaves_when_its_opening_was_undecided_for_too_long():
    go_on = asyncio.Event()

    async def answer(peer):
        await peer.events()
        await peer.event(chunk({"content": UNDECIDED}))
        await go_on.wait()
        await peer.event(chunk({"content": "It ended in June."}, "stop"))
        await peer.event(b"[DONE]")
        peer.writer.close()

    async def scenario():
        async with world(answer, opening={"seconds": 0.5}, keep_alive_seconds=0.1) as (_, _, client):
            seen = []
            async for line in lines_of(client, body(SENSITIVE, stream=True)):
                seen.append(line)
                if UNDECIDED in line:
                    go_on.set()  # the upstream says nothing before the text that it had said has left
            assert seen.index(": keep-alive") < next(at for at, line in enumerate(seen) if UNDECIDED in line)
            assert "data: [DONE]" in seen

    asyncio.run(scenario())


@pytest.mark.parametrize(("overflow", "action"), [("flag", "flag"), ("reroute", "reroute"), ("block", "block")])
def test_a_stalled_stream_is_acted_on_as_configured_when_its_time_is_over(overflow, action):
    async def answer(peer):
        await peer.events()
        await peer.event(chunk({"content": UNDECIDED}))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(peer.gone(), 1)  # a flagged stream goes on
        await peer.event(chunk({}, "stop"))
        await peer.event(b"[DONE]")
        peer.writer.close()

    async def scenario():
        async with world(answer, opening={"seconds": 0.2, "overflow": overflow}) as (_, each, client):
            texts, last = await read(client, body(SENSITIVE, stream=True))
            assert last["glasnost"]["action"] == action
            assert last["glasnost"]["label"] == "inconclusive"
            assert texts == {"flag": {0: UNDECIDED}, "reroute": {0: HONEST}, "block": {0: ""}}[overflow]
            assert each.metric("glasnost_actions_total", policy="prc", action=action) == 1

    asyncio.run(scenario())


def test_a_client_that_does_not_read_stops_the_upstream_and_one_that_leaves_ends_it():
    padding, count = "x" * 60_000, 4_000
    sent, gone = 0, asyncio.Event()

    async def answer(peer):
        nonlocal sent
        await peer.events()
        with contextlib.suppress(ConnectionError):
            for _ in range(count):
                await peer.event(chunk({"content": "a "}) | {"padding": padding})
                sent += 1
        gone.set()

    async def scenario():
        async with world(answer) as (_, each, _):
            client = socket.socket()
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
            client.connect(("127.0.0.1", each.port))
            data = json.dumps(body(HARMLESS, stream=True)).encode()
            head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(data)}\r\n"
            client.sendall(head.encode() + b"Content-Type: application/json\r\n\r\n" + data)
            before = -1
            while sent != before or not sent:
                before = sent
                await asyncio.sleep(1)
            assert sent < count / 2  # most of 240 MB waits in the upstream, not in the gateway
            client.close()
            await asyncio.wait_for(gone.wait(), 30)
            assert sent < count

    asyncio.run(scenario())


@pytest.mark.parametrize(("prompt", "rerouted"), [(SENSITIVE, True), (HARMLESS, False)])
def test_a_cut_upstream_is_replaced_while_it_is_held_and_an_error_once_text_has_left(prompt, rerouted):
    async def answer(peer):
        await peer.events()
        await peer.event(chunk({"role": "assistant", "content": ""}))
        await peer.event(chunk({"content": UNDECIDED}))
        await asyncio.sleep(0.1)
        peer.writer.transport.abort()

    async def scenario():
        async with world(answer) as (_, _, client):
            texts, last = await read(client, body(prompt, stream=True))
            assert texts == {0: HONEST if rerouted else UNDECIDED}
            assert ("error" in last) is not rerouted

    asyncio.run(scenario())
