"""A loopback HTTP server of files: it counts what was asked for, resumes by range, redirects and stops half-way."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar


@dataclass
class Site:
    """What is served, by path; `asked` holds (method, path, first byte asked for), `shift` falsifies ranges."""

    files: dict[str, bytes] = field(default_factory=dict)
    redirects: dict[str, str] = field(default_factory=dict)
    statuses: dict[str, int] = field(default_factory=dict)
    etags: dict[str, str] = field(default_factory=dict)
    ranges: bool = True
    shift: int = 0
    url: str = ""
    asked: list[tuple[str, str, int]] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    stop_after: dict[str, int] = field(default_factory=dict)
    stopped: threading.Event = field(default_factory=threading.Event)
    cut_after: dict[str, int] = field(default_factory=dict)

    def add_wheels(self, wheels: dict[str, bytes]) -> None:
        """Serve `wheels` by file name, and a page of links to them at `/`."""
        self.files |= {f"/{name}": data for name, data in wheels.items()}
        self.files["/"] = "".join(f'<a href="/{name}">{name}</a>' for name in wheels).encode()

    def gets(self, path: str) -> list[int]:
        return [start for method, asked, start in self.asked if (method, asked) == ("GET", path)]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    site: ClassVar[Site]
    closing: ClassVar[threading.Event]

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def log_message(self, *_: object) -> None:
        """Keep quiet."""

    def _answer(self, *, body: bool) -> None:
        site, path = self.site, self.path
        match = re.fullmatch(r"bytes=(\d+)-", self.headers.get("range", ""))
        start = int(match[1]) if match and site.ranges else 0
        site.asked.append((self.command, path, start))
        site.tokens.append(self.headers.get("authorization", ""))
        if path in site.redirects:
            return self._redirect(site.redirects[path], site.files.get(path, b""))
        if path in site.statuses or path not in site.files:
            return self._head(site.statuses.get(path, 404), content_length="0")
        data = site.files[path]
        if start and start >= len(data):
            return self._head(416, content_length="0")
        sha256 = hashlib.sha256(data).hexdigest()
        facts = {"content_length": str(len(data) - start), "etag": f'"{site.etags.get(path, sha256)}"'}
        facts["content_type"] = "text/html" if path.endswith("/") else "application/octet-stream"
        facts["x_repo_commit"] = "0" * 40
        if start:
            facts["content_range"] = f"bytes {start + site.shift}-{len(data) - 1}/{len(data)}"
        self._head(206 if start else 200, **facts)
        if body:
            self._body(path, data, start)
        return None

    def _redirect(self, location: str, data: bytes) -> None:
        # A redirect of the hub names the file it leads to.
        etag = f'"{hashlib.sha256(data).hexdigest()}"'
        linked = {"x_linked_etag": etag, "x_linked_size": str(len(data)), "x_repo_commit": "0" * 40}
        self._head(302, location=location, content_length="0", **linked)

    def _head(self, status: int, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def _body(self, path: str, data: bytes, start: int) -> None:
        site = self.site
        end = min(site.stop_after.get(path, len(data)), site.cut_after.pop(path, len(data)))
        self.wfile.write(data[start:end])
        if path in site.stop_after:
            site.stopped.set()
            self.closing.wait()
        if end < len(data):
            self.close_connection = True


@contextmanager
def serving(site: Site) -> Iterator[Site]:
    """Serve `site` on a free port; requests that were stopped end with the block."""
    closing = threading.Event()
    handler = type("Handler", (_Handler,), {"site": site, "closing": closing})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        site.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield site
        finally:
            closing.set()
            server.shutdown()
            thread.join()
