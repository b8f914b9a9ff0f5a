"""An upstream that speaks the OpenAI API over TCP or a Unix socket; the only file that uses httpx for upstreams."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager, suppress
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from glasnost import __version__
from glasnost.config import HttpUpstream
from glasnost.errors import InvalidRequest, UpstreamError, UpstreamUnavailable
from glasnost.upstream.carried import carried
from glasnost.upstream.heard import hear
from glasnost.upstream.phases import PhaseClock, too_slow
from glasnost.upstream.rejection import error_in, rejection, reported
from glasnost.upstream.shape import StreamShape, check_completion
from glasnost.wire import jsonio, sse
from glasnost.wire.answer import Chunk, Completion
from glasnost.wire.chat import ChatRequest
from glasnost.wire.completions import as_chat, bare_body

MAX_ERROR_BYTES = 64 << 10
# Idle connections go before a server with the usual 5 seconds closes them under a request of ours.
KEEP_ALIVE_SECONDS = 3.0
# After `[DONE]` the end of the body is awaited this long, so that the connection can be used again.
DRAIN_SECONDS = 0.1
# `ready` stays false this long after a failed connect.
UNREACHED_SECONDS = 5.0
_DONE = b"[DONE]"
# What httpx and, where its transport leaves them as they are, aiohttp and the system raise.
_FAILURES = (httpx.HTTPError, aiohttp.ClientError, OSError)


class Unreached(UpstreamUnavailable):
    """No connection came about, so the upstream has not seen the request."""


class HttpServer:
    """Serves one `http` upstream; `api_key` goes out as a bearer token and appears in no error."""

    def __init__(self, name: str, settings: HttpUpstream, api_key: str | None = None) -> None:
        self._name = name
        self._settings = settings
        self._api_key = api_key
        # Parsed once, not with every request.
        self._url = httpx.URL(settings.base_url.rstrip("/") + "/chat/completions")
        self._bare_url = httpx.URL(settings.base_url.rstrip("/") + "/completions")
        self._client = _client(settings, api_key)
        self._unreached_at: float | None = None

    @property
    def name(self) -> str:
        """The upstream's name in the configuration."""
        return self._name

    def ready(self) -> bool:
        """Say whether a request would be served now: not right after a connect has failed."""
        return self._unreached_at is None or time.monotonic() - self._unreached_at > UNREACHED_SECONDS

    async def start(self) -> None:
        """Do nothing: connections are opened on demand."""

    async def complete(self, request: ChatRequest) -> Completion:
        """Answer in one piece."""
        clock = PhaseClock(self._name, self._settings.timeouts, streamed=False)
        completion = await self._answer(self._asked(request, clock, stream=False), clock)
        if request.bare:
            completion = as_chat(completion, "message")
        check_completion(completion, self._name)
        return completion

    async def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Ask another path of the API, `/embeddings` for example, under the name that the model has there.

        What comes back is a JSON object, and nothing more is known of it.
        """
        clock = PhaseClock(self._name, self._settings.timeouts, streamed=False)
        named = {**body, "model": self._settings.model or body["model"]}
        url = httpx.URL(self._settings.base_url.rstrip("/") + path)
        return await self._answer(self._sent(url, named, clock), clock)

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Chunk]:
        """Answer chunk by chunk; every chunk is as the upstream sent it."""
        clock = PhaseClock(self._name, self._settings.timeouts, streamed=True)
        shape = StreamShape(self._name)
        async with self._asked(request, clock, stream=True) as response:
            if not _content_type(response).startswith("text/event-stream"):
                raise await self._no_stream(response, clock)
            async with aclosing(self._events(response, clock)) as events:
                async for event in events:
                    chunk = self._chunk(event)
                    if request.bare:
                        chunk = as_chat(chunk, "delta")
                    shape.check(chunk)
                    clock.first_token() if shape.said else clock.restart()
                    yield chunk
                    clock.restart()
        shape.finish()

    async def get(self, path: str, *, seconds: float) -> Any:
        """Fetch a JSON document next to the API, `/readyz` for example; None when there is none within `seconds`."""
        try:
            async with asyncio.timeout(seconds), self._client.stream("GET", self._url.join(path)) as got:
                body = await self._read(got, None, MAX_ERROR_BYTES)
                return jsonio.loads(body) if got.status_code == 200 else None
        except (TimeoutError, UpstreamError, InvalidRequest, *_FAILURES):
            return None

    async def aclose(self) -> None:
        """Close all connections."""
        await self._client.aclose()

    def _asked(
        self, request: ChatRequest, clock: PhaseClock, *, stream: bool
    ) -> AbstractAsyncContextManager[httpx.Response]:
        asked = request.for_upstream(self._settings.model or request.model, stream=stream)
        url, body = (self._bare_url, bare_body(asked)) if asked.bare else (self._url, asked.body)
        return self._sent(url, body, clock)

    @asynccontextmanager
    async def _sent(self, url: httpx.URL, body: Mapping[str, Any], clock: PhaseClock) -> AsyncIterator[httpx.Response]:
        """Send the body and hold the answer; leaving early closes the socket, which aborts the work upstream."""
        message = self._client.build_request("POST", url, content=jsonio.dumps(body), headers=carried())
        try:
            response = await clock.wait(self._client.send(message, stream=True))
            self._unreached_at = None
            try:
                await self._check_status(response, clock)
                hear(response.headers, self._api_key)
                yield response
            finally:
                await response.aclose()
        except _FAILURES as error:
            raise self._failure(error) from error

    async def _answer(self, sent: AbstractAsyncContextManager[httpx.Response], clock: PhaseClock) -> dict[str, Any]:
        async with sent as response:
            body = await self._read(response, clock, self._settings.max_response_bytes)
        return self._object(body, response)

    async def _check_status(self, response: httpx.Response, clock: PhaseClock) -> None:
        if response.status_code != 200:
            body = b""
            with suppress(UpstreamError):  # the status says enough where the body is too large
                body = await self._read(response, clock, MAX_ERROR_BYTES)
            error = error_in(body)
            raise rejection(self._name, response.status_code, response.headers, error, secret=self._api_key)
        encoding = response.headers.get("content-encoding", "identity").lower()
        if encoding != "identity":
            raise UpstreamError(f"The upstream {self._name!r} compressed its answer, which it was asked not to do.")

    async def _read(self, response: httpx.Response, clock: PhaseClock | None, limit: int) -> bytes:
        body = bytearray()
        async with aclosing(_raw(response)) as parts:
            while part := await (clock.wait(anext(parts, b"")) if clock else anext(parts, b"")):
                body += part
                if len(body) > limit:
                    raise UpstreamError(
                        f"The upstream {self._name!r} sent more than {limit} bytes.", code="upstream_response_too_large"
                    )
        return bytes(body)

    async def _events(self, response: httpx.Response, clock: PhaseClock) -> AsyncGenerator[sse.Event]:
        decoder = sse.Decoder(min(sse.MAX_LINE, self._settings.max_response_bytes))
        async with aclosing(_raw(response)) as parts:
            while part := await clock.wait(anext(parts, b"")):
                for event in decoder.feed(part):
                    if event.data == _DONE:
                        await _drain(parts)
                        return
                    yield event

    def _chunk(self, event: sse.Event) -> Chunk:
        try:
            chunk = jsonio.loads_object(event.data)
        except InvalidRequest:
            raise UpstreamError(f"The upstream {self._name!r} sent an event that is no JSON object.") from None
        if event.type == "error" or chunk.get("error") is not None:
            raise reported(self._name, chunk.get("error", chunk), secret=self._api_key)
        return chunk

    def _object(self, body: bytes, response: httpx.Response) -> dict[str, Any]:
        try:
            value = jsonio.loads_object(body)
        except InvalidRequest:
            kind = _content_type(response) or "no content type"
            raise UpstreamError(f"The upstream {self._name!r} did not answer with a JSON object ({kind}).") from None
        if value.get("error") is not None:
            raise reported(self._name, value["error"], secret=self._api_key)
        return value

    async def _no_stream(self, response: httpx.Response, clock: PhaseClock) -> UpstreamError:
        if _content_type(response).startswith("application/json"):
            self._object(await self._read(response, clock, self._settings.max_response_bytes), response)
        kind = _content_type(response) or "no content type"
        return UpstreamError(f"The upstream {self._name!r} did not answer with a stream of events ({kind}).")

    def _failure(self, error: Exception) -> UpstreamError:
        # The transport maps a refused and a cut connection alike to ConnectTimeout: its cause tells them apart.
        cause = error.__cause__ or error
        if isinstance(cause, TimeoutError):
            self._unreached_at = time.monotonic()
            return too_slow(self._name, "connect", self._settings.timeouts)
        if isinstance(cause, aiohttp.ClientConnectorError):
            self._unreached_at = time.monotonic()
            why = cause.os_error.strerror or "connection failed"
            return Unreached(f"The upstream {self._name!r} cannot be reached: {why}.", retry_after=1)
        return UpstreamUnavailable(f"The connection to the upstream {self._name!r} was cut.", retry_after=1)


def _client(settings: HttpUpstream, api_key: str | None) -> httpx.AsyncClient:
    headers = {
        "accept": "application/json, text/event-stream",
        "accept-encoding": "identity",
        "content-type": "application/json",
        "user-agent": f"glasnost/{__version__}",
    }
    if api_key:
        headers["authorization"] = f"Bearer {api_key}"
    return httpx.AsyncClient(
        transport=_transport(settings),
        headers=headers,
        timeout=httpx.Timeout(None, connect=settings.timeouts.connect),
        # An upstream's cookies would tie one client's requests to another's.
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
        follow_redirects=False,
        trust_env=False,  # neither a proxy nor a .netrc of the machine may see prompts
    )


def _transport(settings: HttpUpstream) -> AiohttpTransport:
    tls = settings.base_url.startswith("https:")
    context = httpx.create_ssl_context() if tls else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

    def session() -> aiohttp.ClientSession:
        limit = settings.max_connections
        connector: aiohttp.BaseConnector
        if settings.uds:
            connector = aiohttp.UnixConnector(settings.uds, limit=limit, keepalive_timeout=KEEP_ALIVE_SECONDS)
        else:
            connector = aiohttp.TCPConnector(ssl=context, limit=limit, keepalive_timeout=KEEP_ALIVE_SECONDS)
        return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())

    return AiohttpTransport(verify=context, client=session)


async def _raw(response: httpx.Response) -> AsyncGenerator[bytes]:
    async for part in response.aiter_raw():
        if part:
            yield part


async def _drain(parts: AsyncGenerator[bytes]) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(DRAIN_SECONDS):
            async for _ in parts:
                pass


def _content_type(response: httpx.Response) -> str:
    return str(response.headers.get("content-type", "")).partition(";")[0].strip().lower()
