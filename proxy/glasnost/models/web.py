"""Fetching a file over HTTPS: resumed by range where it was cut, every redirect as safe as the address."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from glasnost.errors import ModelFileError
from glasnost.models.partial import Partial
from glasnost.models.progress import Progress
from glasnost.models.reference import on_this_machine

_TIMEOUT = httpx.Timeout(30.0, connect=10.0)


@dataclass(frozen=True, slots=True)
class WebFile:
    """What a file at `url` must be; `headers` may carry a token, and go to no other host."""

    url: str
    sha256: str
    size: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


def fetch_url(wanted: WebFile, work: Path, progress: Progress) -> Path:
    """Fetch a file into the folder `work` and give its place there, once it is checked.

    Raises `ModelFileError` where the file cannot be had or is another one, `OSError` where it cannot be written.
    """
    with Partial(work / "web.partial", limit=wanted.size) as partial:
        try:
            _receive(wanted, partial, progress)
        except httpx.HTTPError as error:
            raise ModelFileError(f"{wanted.url} was cut after {partial.size} bytes: {_reason(error)}") from error
        partial.check(wanted.sha256)
        return partial.path


def _receive(wanted: WebFile, partial: Partial, progress: Progress) -> None:
    asked = {**wanted.headers, "Accept-Encoding": "identity"}
    if partial.size:
        asked["Range"] = f"bytes={partial.size}-"
    client = httpx.Client(timeout=_TIMEOUT, follow_redirects=True, event_hooks={"request": [_only_safe(wanted.url)]})
    with client, client.stream("GET", wanted.url, headers=asked) as response:
        if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            return  # nothing is missing; the hash tells whether it is the right file
        _start(response, partial)
        total = partial.size + int(response.headers.get("content-length", 0)) or None
        for data in response.iter_raw():
            partial.write(data)
            progress(f"downloading from {response.url.host}", partial.size, total)


def _only_safe(first: str) -> Callable[[httpx.Request], None]:
    def check(request: httpx.Request) -> None:
        url = str(request.url)
        if request.url.scheme != "https" and not (on_this_machine(first) and on_this_machine(url)):
            raise ModelFileError(f"{first} leads to {url}, which is not encrypted")

    return check


def _start(response: httpx.Response, partial: Partial) -> None:
    """Put the file in the state that the body of `response` goes on from."""
    if response.status_code == httpx.codes.PARTIAL_CONTENT:
        if not response.headers.get("content-range", "").startswith(f"bytes {partial.size}-"):
            raise ModelFileError(f"{response.url} sent another range than the one asked for")
    elif response.status_code == httpx.codes.OK:
        partial.restart()
    else:
        raise ModelFileError(f"{response.url} answered with HTTP status {response.status_code}")


def _reason(error: httpx.HTTPError) -> str:
    return str(error) or type(error).__name__
