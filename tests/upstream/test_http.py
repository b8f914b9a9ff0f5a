"""The HTTP upstream against a real loopback server."""

from __future__ import annotations

import asyncio
import json
import socket
from contextlib import aclosing
from typing import Any

import pytest

from glasnost.config import HttpUpstream, TimeoutSettings
from glasnost.errors import UpstreamError, UpstreamRejected, UpstreamUnavailable
from glasnost.upstream.carried import carrying
from glasnost.upstream.http import HttpServer
from loopback import Handler, Peer, ask, chunk, completion, loopback

KEY = "sk-canary-0123456789"


def server(url: str, *, key: str | None = KEY, **settings: Any) -> HttpServer:
    return HttpServer("up", HttpUpstream(kind="http", base_url=url, **settings), key)


async def complete(handler: Handler, request=None, **settings: Any):
    async with loopback(handler) as served:
        upstream = server(served.url, **settings)
        try:
            return await upstream.complete(request or ask()), served
        finally:
            await upstream.aclose()


async def stream(handler: Handler, request=None, **settings: Any):
    async with loopback(handler) as served:
        upstream = server(served.url, **settings)
        try:
            return [chunk async for chunk in upstream.stream(request or ask())], served
        finally:
            await upstream.aclose()


def answering(value: Any, status: str = "200 OK", **headers: str) -> Handler:
    async def handler(peer: Peer) -> None:
        await peer.answer(value, status, **headers)

    return handler


def sending(*events: Any, done: bool = True) -> Handler:
    async def handler(peer: Peer) -> None:
        await peer.events()
        for event in events:
            await peer.event(event)
        if done:
            await peer.event(b"[DONE]")
        peer.writer.close()

    return handler


def test_content_may_come_in_parts_of_text():
    answer = completion()
    answer["choices"][0]["message"]["content"] = [{"type": "text", "text": "Paris."}]
    got, _ = asyncio.run(complete(answering(answer)))
    assert got == answer


def test_another_path_of_the_api_is_asked_under_the_name_that_the_model_has_there():
    async def embed():
        async with loopback(answering({"data": [{"embedding": [0.5]}]})) as served:
            upstream = server(served.url, model="there")
            try:
                got = await upstream.post("/embeddings", {"model": "here", "input": "text"})
            finally:
                await upstream.aclose()
            return got, served.peers[0]

    got, peer = asyncio.run(embed())
    assert got == {"data": [{"embedding": [0.5]}]}
    assert peer.line == "POST /v1/embeddings HTTP/1.1"
    assert peer.json == {"model": "there", "input": "text"}
    assert peer.headers["authorization"] == f"Bearer {KEY}"


def test_a_completion_keeps_fields_that_nobody_knows():
    answer, _ = asyncio.run(complete(answering({**completion(), "x_future": {"a": 1}})))
    assert answer["x_future"] == {"a": 1}
    assert answer["choices"][0]["message"]["content"] == "Paris."


def test_a_stream_gives_every_chunk_as_it_was_sent():
    sent = [chunk({"role": "assistant"}), {**chunk({"content": "Pa"}), "x": 1}, chunk({"content": "ris"}, "stop")]
    usage = {**chunk({}), "choices": [], "usage": {"total_tokens": 3}}
    got, _ = asyncio.run(stream(sending(*sent, usage)))
    assert got == [*sent, usage]


def test_the_upstream_gets_its_own_model_name_and_counts_usage():
    _, served = asyncio.run(stream(sending(chunk({"content": "x"}, "stop")), ask(seed=7), model="org/real"))
    body = served.peers[0].json
    assert (body["model"], body["stream"], body["seed"]) == ("org/real", True, 7)
    assert body["stream_options"] == {"include_usage": True}
    assert served.peers[0].line == "POST /v1/chat/completions HTTP/1.1"


def test_only_our_own_key_goes_upstream_and_nothing_may_be_compressed():
    _, served = asyncio.run(complete(answering(completion())))
    headers = served.peers[0].headers
    assert headers["authorization"] == f"Bearer {KEY}"
    assert headers["accept-encoding"] == "identity"
    assert "cookie" not in headers


def test_without_a_key_no_authorization_is_sent():
    _, served = asyncio.run(complete(answering(completion()), key=None))
    assert "authorization" not in served.peers[0].headers


def test_a_unix_socket_serves_like_a_port(tmp_path):
    async def run():
        path = tmp_path / "s"
        async with loopback(sending(chunk({"content": "x"}, "stop")), uds=path) as served:
            upstream = server(served.url, uds=str(path))
            got = [chunk async for chunk in upstream.stream(ask())]
            await upstream.aclose()
            return got

    assert asyncio.run(run()) == [chunk({"content": "x"}, "stop")]


@pytest.mark.parametrize("streamed", [False, True])
def test_what_a_request_carries_on_goes_with_it_and_with_no_other(tmp_path, streamed):
    async def run():
        path = tmp_path / "s"
        handler = sending(chunk({"content": "x"}, "stop")) if streamed else answering(completion())
        async with loopback(handler, uds=path) as served:
            upstream = server(served.url, uds=str(path))
            for headers in ({"traceparent": "00-1-2-01", "tracestate": "a=b"}, {}):
                with carrying(headers):
                    if streamed:
                        _ = [chunk async for chunk in upstream.stream(ask())]
                    else:
                        await upstream.complete(ask())
            await upstream.aclose()
            return [peer.headers for peer in served.peers]

    first, second = asyncio.run(run())
    assert (first["traceparent"], first["tracestate"]) == ("00-1-2-01", "a=b")
    assert "traceparent" not in second


@pytest.mark.parametrize("streamed", [False, True])
def test_a_connection_is_used_again(streamed):
    async def handler(peer: Peer) -> None:
        if not peer.json["stream"]:
            await peer.answer(completion())
            return
        await peer.head(content_type="text/event-stream", transfer_encoding="chunked")
        for data in (json.dumps(chunk({"content": "x"}, "stop")).encode(), b"[DONE]"):
            event = b"data: " + data + b"\n\n"
            await peer.send(b"%x\r\n%s\r\n" % (len(event), event))
        await asyncio.sleep(0.01)
        await peer.send(b"0\r\n\r\n")

    async def run():
        async with loopback(handler) as served:
            upstream = server(served.url)
            for _ in range(3):
                if streamed:
                    assert [chunk async for chunk in upstream.stream(ask())]
                else:
                    await upstream.complete(ask())
            await upstream.aclose()
            return served.connections

    assert asyncio.run(run()) == 1


def test_cookies_of_an_upstream_are_not_kept():
    async def run():
        async with loopback(answering(completion(), set_cookie="session=1; Path=/")) as served:
            upstream = server(served.url.replace("127.0.0.1", "localhost"))
            await upstream.complete(ask())
            await upstream.complete(ask())
            await upstream.aclose()
            return [peer.headers for peer in served.peers]

    assert all("cookie" not in headers for headers in asyncio.run(run()))


def test_one_byte_at_a_time_gives_the_same_chunks():
    text = chunk({"content": "天安门 \u2028 x"}, "stop")

    async def handler(peer: Peer) -> None:
        await peer.events()
        for byte in b"\xef\xbb\xbf: hi\r\ndata: " + json.dumps(text, ensure_ascii=False).encode() + b"\r\n\r\n":
            await peer.send(bytes([byte]))
        peer.writer.close()

    got, _ = asyncio.run(stream(handler))
    assert got == [text]


def test_an_error_status_is_passed_on_with_its_error_and_retry_after():
    error = {"message": "slow down", "type": "rate", "code": "rate_limit", "param": None, "internal": "x"}
    with pytest.raises(UpstreamRejected) as caught:
        asyncio.run(complete(answering({"error": error}, "429 Too Many", retry_after="17")))
    assert (caught.value.status, caught.value.retry_after, str(caught.value)) == (429, 17, "slow down")
    assert caught.value.error == {"message": "slow down", "type": "rate", "code": "rate_limit"}


def test_a_stream_is_rejected_before_its_first_chunk():
    with pytest.raises(UpstreamRejected) as caught:
        asyncio.run(stream(answering({"error": {"message": "no"}}, "400 Bad Request")))
    assert caught.value.status == 400


@pytest.mark.parametrize("status", ["401 Unauthorized", "403 Forbidden"])
def test_a_refusal_of_our_credentials_is_a_502_that_echoes_nothing(status):
    with pytest.raises(UpstreamError) as caught:
        asyncio.run(complete(answering({"error": {"message": f"Incorrect API key provided: {KEY}"}}, status)))
    assert (caught.value.status, caught.value.code) == (502, "upstream_credentials")
    assert "Incorrect" not in str(caught.value)


@pytest.mark.parametrize("status", ["400 Bad Request", "500 Internal Server Error"])
def test_our_key_is_blotted_out_of_an_error_that_repeats_it(status):
    error = {"message": f"bad {KEY}", "code": KEY, "param": {"k": KEY}}
    with pytest.raises(UpstreamRejected) as caught:
        asyncio.run(complete(answering({"error": error}, status)))
    assert KEY not in str(caught.value) + json.dumps(caught.value.error)
    assert str(caught.value) == "bad [redacted]"


def test_an_error_frame_ends_the_stream_with_its_message_and_without_our_key():
    async def run():
        got: list[Any] = []
        async with loopback(sending(chunk({"content": "x"}), {"error": {"message": f"boom {KEY}"}})) as served:
            upstream = server(served.url)
            chunks = upstream.stream(ask())
            got.append(await anext(chunks))
            with pytest.raises(UpstreamError, match=r"boom \[redacted\]"):
                await anext(chunks)
            await upstream.aclose()
        return got

    assert asyncio.run(run()) == [chunk({"content": "x"})]


def test_an_error_object_with_status_200_is_an_error():
    with pytest.raises(UpstreamError, match="overloaded"):
        asyncio.run(complete(answering({"error": {"message": "overloaded"}})))
    with pytest.raises(UpstreamError, match="overloaded"):
        asyncio.run(stream(answering({"error": {"message": "overloaded"}})))


def test_a_redirect_is_not_followed():
    async def run():
        async with loopback(answering(completion())) as canary:
            moved = answering({}, "307 Temporary Redirect", location=canary.url + "/chat/completions")
            with pytest.raises(UpstreamError) as caught:
                await complete(moved)
            return caught.value, canary.connections

    error, connections = asyncio.run(run())
    assert (error.status, connections) == (502, 0)


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"<html>hello</html>", {"content_type": "text/html"}),
        (b"[]", {}),
        (b'"text"', {}),
        ({"choices": []}, {}),
        ({"object": "chat.completion"}, {}),
        ({"choices": [{"index": 0, "message": {"content": {"text": "hidden"}}}]}, {}),
        ({"choices": [{"index": 0, "message": {"content": [{"image": "x"}]}}]}, {}),
        ({"choices": [{"index": 0, "message": "text"}]}, {}),
        ({"choices": [{"index": 0}]}, {}),
        ({"choices": [{"index": 0, "message": {"content": "x"}, "finish_reason": 1}]}, {}),
        ({"choices": [{"index": 0, "message": {"content": "x"}, "text": "y"}]}, {}),
        ({"choices": [{"index": 0, "message": {"function_call": "x"}}]}, {}),
        ({"choices": [{"index": "0", "message": {"content": "x"}}]}, {}),
        ({"choices": [{"index": 0, "message": {"tool_calls": ["x"]}}]}, {}),
        ({"choices": [{"index": 0, "message": {"tool_calls": [{"function": {"arguments": {}}}]}}]}, {}),
    ],
)
def test_what_is_no_completion_is_a_502(body, headers):
    with pytest.raises(UpstreamError, match="'up'") as caught:
        asyncio.run(complete(answering(body, **headers)))
    assert caught.value.status == 502


@pytest.mark.parametrize(
    "event",
    [
        b"not json",
        b"[1]",
        {"choices": {}},
        {"choices": [{"delta": {"content": {"t": "x"}}}]},
        {"choices": [{"index": -1}]},
    ],
)
def test_an_event_that_is_no_chunk_is_a_502(event):
    with pytest.raises(UpstreamError) as caught:
        asyncio.run(stream(sending(event, chunk({}, "stop"))))
    assert caught.value.status == 502


def test_a_stream_that_is_not_events_is_a_502():
    with pytest.raises(UpstreamError, match="stream of events"):
        asyncio.run(stream(answering(completion())))


def test_a_stream_may_end_without_done_but_not_without_a_finish_reason():
    got, _ = asyncio.run(stream(sending(chunk({"content": "x"}, "stop"), done=False)))
    assert len(got) == 1
    with pytest.raises(UpstreamUnavailable):
        asyncio.run(stream(sending(chunk({"content": "x"}))))
    with pytest.raises(UpstreamUnavailable):
        asyncio.run(stream(sending()))
    with pytest.raises(UpstreamUnavailable):
        asyncio.run(stream(sending(chunk({"content": "x"}, "stop"), chunk({"content": "y"}, index=1))))


def test_a_refused_connection_is_unavailable_and_clears_readiness_until_one_works():
    async def run():
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            upstream = server(f"http://127.0.0.1:{taken.getsockname()[1]}/v1")
            assert upstream.ready()
            await upstream.start()
            with pytest.raises(UpstreamUnavailable, match="cannot be reached") as caught:
                await upstream.complete(ask())
            assert not upstream.ready()
            await upstream.aclose()
        return caught.value

    error = asyncio.run(run())
    assert (error.status, error.retry_after) == (503, 1)


def test_a_document_next_to_the_api_can_be_fetched():
    async def run():
        async with loopback(answering({"slots": 4})) as served:
            upstream = server(served.url)
            got = await upstream.get("/readyz", seconds=1)
            await served.stop()
            nothing = await upstream.get("/readyz", seconds=1)
            await upstream.aclose()
        return got, nothing, served.peers[0].line

    assert asyncio.run(run()) == ({"slots": 4}, None, "GET /readyz HTTP/1.1")


def test_a_slow_consumer_is_no_idle_upstream():
    async def run():
        timeouts = TimeoutSettings(idle=0.2, first_token=0.2, total=5.0)
        async with loopback(sending(chunk({"content": "x"}), chunk({"content": "y"}, "stop"))) as served:
            upstream = server(served.url, timeouts=timeouts)
            got = []
            async with aclosing(upstream.stream(ask())) as chunks:
                async for item in chunks:
                    await asyncio.sleep(0.4)
                    got.append(item)
            await upstream.aclose()
            return len(got)

    assert asyncio.run(run()) == 2
