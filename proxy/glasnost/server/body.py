"""Reading a JSON body within its limits of size and time."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from typing import Any

from starlette.types import Receive

from glasnost.config import ServerSettings
from glasnost.errors import PayloadTooLarge, RequestTimeout, UnsupportedMedia
from glasnost.server.disconnect import ClientDisconnected
from glasnost.wire import jsonio


async def read_json(scope: MutableMapping[str, Any], receive: Receive, limits: ServerSettings) -> dict[str, Any]:
    """Read and parse the body; reading stops at the limit, whatever Content-Length claims."""
    headers = dict(scope["headers"])
    _check_headers(headers, limits.max_body_bytes)
    try:
        async with asyncio.timeout(limits.body_seconds):
            data = await _read(receive, limits.max_body_bytes)
    except TimeoutError:
        raise RequestTimeout(f"The body did not arrive within {limits.body_seconds:g} seconds.") from None
    return jsonio.loads_object(data)


def _check_headers(headers: dict[bytes, bytes], limit: int) -> None:
    media = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
    # Any other type would let a web page post here without the browser asking first (CSRF).
    if media != b"application/json":
        raise UnsupportedMedia("Send the body as `Content-Type: application/json`.")
    if headers.get(b"content-encoding", b"identity").lower() != b"identity":
        raise UnsupportedMedia("Compressed bodies are not accepted; send the JSON as it is.")
    length = headers.get(b"content-length", b"0")
    if length.isdigit() and int(length) > limit:
        raise _too_large(limit)


async def _read(receive: Receive, limit: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnected
        part = message.get("body", b"")
        size += len(part)
        if size > limit:
            raise _too_large(limit)
        parts.append(part)
        if not message.get("more_body", False):
            return b"".join(parts)


def _too_large(limit: int) -> PayloadTooLarge:
    return PayloadTooLarge(f"The body is larger than {limit} bytes (`server.max_body_bytes`).")
