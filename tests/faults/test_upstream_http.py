"""Faults between us and an HTTP upstream: silence in every phase, floods, cut sockets, clients that leave."""

from __future__ import annotations

import asyncio
import gzip
import json
import resource
import socket
import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing, suppress
from typing import Any

import pytest

from glasnost.config import HttpUpstream, TimeoutSettings
from glasnost.errors import UpstreamError, UpstreamTimeout, UpstreamUnavailable
from glasnost.upstream.http import HttpServer
from loopback import Handler, Peer, ask, chunk, completion, loopback

pytestmark = pytest.mark.faults

QUICK = TimeoutSettings(connect=0.3, first_token=0.4, idle=0.4, total=1.0)


def server(url: str, *, timeouts: TimeoutSettings = QUICK, **settings: Any) -> HttpServer:
    return HttpServer("up", HttpUpstream(kind="http", base_url=url, timeouts=timeouts, **settings), "sk-canary")


async def answer(upstream: HttpServer, *, streamed: bool) -> None:
    if not streamed:
        await upstream.complete(ask())
        return
    async with aclosing(upstream.stream(ask())) as chunks:
        async for _ in chunks:
            pass


async def failing(handler: Handler, *, streamed: bool, **settings: Any) -> tuple[UpstreamError, float]:
    """Give the error that a request ends with, and the seconds until then."""
    async with loopback(handler) as served:
        upstream = server(served.url, **settings)
        began = time.monotonic()
        try:
            with pytest.raises(UpstreamError) as caught:
                await answer(upstream, streamed=streamed)
            return caught.value, time.monotonic() - began
        finally:
            await upstream.aclose()


async def silent(peer: Peer) -> None:
    await peer.gone()


async def only_head(peer: Peer) -> None:
    if peer.json["stream"]:
        await peer.events()
    else:
        await peer.head(content_type="application/json", content_length="100")
    await peer.gone()


async def only_role(peer: Peer) -> None:
    await peer.events()
    await peer.event(chunk({"role": "assistant", "content": ""}))
    await peer.gone()


async def stalls(peer: Peer) -> None:
    await peer.events()
    for _ in range(3):
        await peer.event(chunk({"content": "x"}))
    await peer.gone()


def dripping(data: bytes) -> Handler:
    async def handler(peer: Peer) -> None:
        await peer.events()
        await peer.event(chunk({"content": "x"}))
        with suppress(ConnectionError):
            while True:
                await peer.send(data)
                await asyncio.sleep(0.1)

    return handler


@pytest.mark.parametrize(
    ("handler", "streamed", "phase"),
    [
        (silent, False, "total"),
        (only_head, False, "total"),
        (silent, True, "ttft"),
        (only_head, True, "ttft"),
        (only_role, True, "ttft"),
        (stalls, True, "idle"),
        (dripping(b": still here\n\n"), True, "idle"),
        (dripping(b"x"), True, "idle"),
        (dripping(b"data: " + json.dumps(chunk({"content": "x"})).encode() + b"\n\n"), True, "total"),
    ],
)
def test_an_upstream_that_is_too_slow_is_a_504_that_names_the_phase(handler, streamed, phase):
    error, seconds = asyncio.run(failing(handler, streamed=streamed))
    assert isinstance(error, UpstreamTimeout)
    assert (error.status, error.phase) == (504, phase)
    assert error.code == ("upstream_idle_timeout" if phase == "idle" else "timeout")
    assert 0.3 < seconds < 3


@pytest.mark.parametrize("streamed", [False, True])
def test_a_connection_that_is_never_accepted_is_a_timeout_of_the_connect_phase(streamed):
    async def run() -> UpstreamError:
        # A full backlog: the kernel drops further connection requests.
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen(0)
            port = listener.getsockname()[1]
            fillers = [socket.socket() for _ in range(4)]
            for filler in fillers:
                filler.settimeout(0)
                filler.connect_ex(("127.0.0.1", port))
            upstream = server(f"http://127.0.0.1:{port}/v1")
            try:
                with pytest.raises(UpstreamTimeout) as caught:
                    await answer(upstream, streamed=streamed)
                assert not upstream.ready()
                return caught.value
            finally:
                await upstream.aclose()
                for filler in fillers:
                    filler.close()

    assert asyncio.run(run()).phase == "connect"


async def cut_at_once(peer: Peer) -> None:
    peer.writer.transport.abort()


async def cut_in_body(peer: Peer) -> None:
    await peer.head(content_type="application/json", content_length="1000")
    await peer.send(b'{"choices"')
    peer.writer.transport.abort()


async def cut_in_chunk(peer: Peer) -> None:
    await peer.head(content_type="text/event-stream", transfer_encoding="chunked")
    await peer.send(b"400\r\ndata: {")
    peer.writer.close()


async def talks_nonsense(peer: Peer) -> None:
    await peer.send(b"\x16\x03\x01 this is no HTTP\r\n\r\n")
    peer.writer.close()


@pytest.mark.parametrize(
    ("handler", "streamed"),
    [
        (cut_at_once, False),
        (cut_at_once, True),
        (cut_in_body, False),
        (cut_in_chunk, True),
        (talks_nonsense, False),
        (talks_nonsense, True),
    ],
)
def test_a_cut_connection_is_unavailable(handler, streamed):
    error, _ = asyncio.run(failing(handler, streamed=streamed))
    assert isinstance(error, UpstreamUnavailable)
    assert error.retry_after == 1


async def flood_body(peer: Peer) -> None:
    await peer.head(content_type="application/json", connection="close")
    with suppress(ConnectionError):
        for _ in range(4096):
            await peer.send(b" " * 65_536)


async def flood_line(peer: Peer) -> None:
    await peer.events()
    with suppress(ConnectionError):
        await peer.send(b"data: ")
        for _ in range(4096):
            await peer.send(b"x" * 65_536)


async def flood_lines(peer: Peer) -> None:
    await peer.events()
    with suppress(ConnectionError):
        for _ in range(4096):
            await peer.send(b"data: " + b"x" * 65_536 + b"\n")


@pytest.mark.parametrize(
    ("handler", "streamed"), [(flood_body, False), (flood_line, True), (flood_lines, True), (flood_body, True)]
)
def test_a_flood_is_a_502_and_costs_bounded_memory(handler, streamed):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    timeouts = TimeoutSettings(total=30)
    error, _ = asyncio.run(failing(handler, streamed=streamed, timeouts=timeouts, max_response_bytes=1_000_000))
    assert (error.status, error.code) == (502, "upstream_response_too_large")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000, "KiB"


def test_the_body_of_an_error_may_be_endless_too():
    async def handler(peer: Peer) -> None:
        await peer.head("500 Oops", content_type="text/plain", connection="close")
        with suppress(ConnectionError):
            for _ in range(4096):
                await peer.send(b"x" * 65_536)

    error, _ = asyncio.run(failing(handler, streamed=True))
    assert error.status == 500


@pytest.mark.parametrize("streamed", [False, True])
def test_a_compressed_answer_is_refused_before_it_is_unpacked(streamed):
    bomb = gzip.compress(bytes(50_000_000))

    async def handler(peer: Peer) -> None:
        kind = "text/event-stream" if peer.json["stream"] else "application/json"
        await peer.answer(bomb, content_type=kind, content_encoding="gzip")

    error, _ = asyncio.run(failing(handler, streamed=streamed))
    assert error.status == 502
    assert "compressed" in str(error)


def test_a_slow_reader_pauses_a_fast_upstream():
    sent = 0
    event = b"data: " + json.dumps(chunk({"content": "x" * 10_000})).encode() + b"\n\n"

    async def handler(peer: Peer) -> None:
        nonlocal sent
        await peer.events()
        with suppress(ConnectionError):
            while sent < 50_000_000:
                await peer.send(event)
                sent += len(event)

    async def run() -> None:
        async with loopback(handler) as served:
            upstream = server(served.url)
            async with aclosing(upstream.stream(ask())) as chunks:
                await anext(chunks)
                await asyncio.sleep(0.5)
            await upstream.aclose()

    asyncio.run(run())
    assert sent < 20_000_000, "what was sent lies in the buffers of the kernel"


Leave = Callable[[HttpServer], Awaitable[None]]


async def cancel_complete(upstream: HttpServer) -> None:
    task = asyncio.create_task(upstream.complete(ask()))
    await asyncio.sleep(0.2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def cancel_stream(upstream: HttpServer) -> None:
    task = asyncio.create_task(answer(upstream, streamed=True))
    await asyncio.sleep(0.2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def close_stream(upstream: HttpServer) -> None:
    async with aclosing(upstream.stream(ask())) as chunks:
        await anext(chunks)


@pytest.mark.parametrize(
    ("handler", "leave"),
    [
        (silent, cancel_complete),
        (only_head, cancel_complete),
        (silent, cancel_stream),
        (only_head, cancel_stream),
        (only_role, cancel_stream),
        (stalls, cancel_stream),
        (stalls, close_stream),
    ],
)
@pytest.mark.parametrize("over", ["tcp", "unix"])
def test_an_upstream_sees_within_a_second_that_the_client_left(handler, leave, over, tmp_path):
    async def run() -> float:
        seen = asyncio.Event()

        async def watched(peer: Peer) -> None:
            await handler(peer)
            seen.set()

        uds = tmp_path / "s" if over == "unix" else None
        async with loopback(watched, uds=uds) as served:
            slow = TimeoutSettings(total=60)
            upstream = server(served.url, timeouts=slow, uds=str(uds) if uds else None)
            await leave(upstream)
            began = time.monotonic()
            await asyncio.wait_for(seen.wait(), 5)
            seconds = time.monotonic() - began
            # The connection that was left is not used again, and the upstream still serves.
            assert await upstream.get("/x", seconds=0.1) is None
            await upstream.aclose()
            return seconds

    assert asyncio.run(run()) < 1


def test_requests_beyond_the_connections_wait_and_are_served():
    async def handler(peer: Peer) -> None:
        await asyncio.sleep(0.05)
        await peer.answer(completion())

    async def run() -> int:
        async with loopback(handler) as served:
            upstream = server(served.url, timeouts=TimeoutSettings(), max_connections=2)
            await asyncio.gather(*(upstream.complete(ask()) for _ in range(8)))
            await upstream.aclose()
            return served.connections

    assert asyncio.run(run()) == 2
