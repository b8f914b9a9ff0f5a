"""Secrets that pass through a gateway, planted as canaries: none comes out anywhere, whatever goes wrong."""

from __future__ import annotations

import hmac
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from gateway import HARMLESS, SENSITIVE
from otlp_receiver import Receiver, otlp_receiver
from running import Server, free_port

pytestmark = pytest.mark.faults

#: No shape of them gives them away: only that they are known, or that they are never passed on.
CLIENT = "canary1client1key1with1no1shape"
WRONG = "canary2wrong2key2with2no2shape"
UPSTREAM = "canary3upstream3key3no3shape"
PEPPER = "canary4pepper4no4shape"
PASSWORD = "canary5password5in5an5address"
COOKIE = "canary6cookie6of6a6browser"
COLLECTOR = "canary7collector7token7no7shape"
CANARIES = (CLIENT, WRONG, UPSTREAM, PEPPER, PASSWORD, COOKIE, COLLECTOR)

CONFIG = """
server:
  keys: [{name: tests, hash: "HASH", scopes: [chat, "audit:read"], limits: {requests_per_minute: 1000}}]
  pepper_env: CANARY_PEPPER
limits: {redis_url_env: CANARY_REDIS}
ledger: {path: ledger.db, content: full}
tracing: {enabled: true}
upstreams:
  echo: {kind: http, base_url: "http://127.0.0.1:PORT/v1", api_key_env: CANARY_UPSTREAM}
  gone: {kind: http, base_url: "http://127.0.0.1:1/v1", api_key_env: CANARY_UPSTREAM}
models:
  echo: {upstream: echo}
  gone: {upstream: gone}
"""


class Echo(BaseHTTPRequestHandler):
    """An upstream that tells every header it got in its errors, in its headers, and in a stream that it breaks off."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        prompt = body["messages"][-1]["content"]
        seen = "; ".join(f"{name}: {value}" for name, value in self.headers.items())
        bare = self.headers["authorization"].removeprefix("Bearer ")
        if prompt == "cut":
            self._begin(200, "text/event-stream")
            self.wfile.write(b'data: {"error": {"message": "%s"}}\n\ndata: {"cho' % bare.encode())
        elif prompt == "no json":
            self._begin(200, "application/json")
            self.wfile.write(f"<html>{seen}".encode())
        elif prompt.isdigit():
            self._begin(int(prompt), "application/json")
            self.wfile.write(json.dumps({"error": {"message": f"{seen} {bare}", "code": bare}}).encode())
        else:
            message = {"role": "assistant", "content": "Paris."}
            self._begin(200, "application/json")
            choice = {"index": 0, "message": message, "finish_reason": "stop"}
            self.wfile.write(json.dumps({"object": "chat.completion", "choices": [choice]}).encode())

    def _begin(self, status: int, kind: str) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("x-request-id", self.headers["authorization"])
        self.send_header("set-cookie", f"upstream={self.headers['authorization']}")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Stay silent."""


@pytest.fixture
def echo() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Echo) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


@pytest.fixture
def collector() -> Iterator[Receiver]:
    with otlp_receiver() as received:
        yield received


@pytest.fixture
def gateway(tmp_path: Path, echo: int, collector: Receiver) -> Iterator[Server]:
    environ = os.environ | {
        "CANARY_UPSTREAM": UPSTREAM,
        "CANARY_PEPPER": PEPPER,
        "CANARY_REDIS": f"redis://user:{PASSWORD}@127.0.0.1:1/0",
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": collector.url,
        "OTEL_EXPORTER_OTLP_HEADERS": f"authorization=Bearer%20{COLLECTOR}",
    }
    hashed = f"hmac-sha256:{hmac.new(PEPPER.encode(), CLIENT.encode(), 'sha256').hexdigest()}"
    (tmp_path / "c.yaml").write_text(CONFIG.replace("HASH", hashed).replace("PORT", str(echo)))
    port = free_port()
    command = [sys.executable, "-m", "glasnost", "serve", "--config", str(tmp_path / "c.yaml")]
    command += ["--port", str(port), "--log-level", "debug"]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, env=environ, cwd=tmp_path, stdout=log, stderr=log)
        server = Server(process, port)
        try:
            server.wait_until_ready()
            yield server
        finally:
            process.terminate()
            process.wait(30)


def ask(url: str, content: str, *, model: str = "echo", stream: bool = False, **headers: str) -> httpx.Response:
    sent = {"authorization": f"Bearer {CLIENT}", "cookie": f"session={COOKIE}"} | headers
    body = {"model": model, "messages": [{"role": "user", "content": content}], "stream": stream}
    return httpx.post(f"{url}/v1/chat/completions", json=body, headers=sent, timeout=30)


def everything_that_goes_wrong(url: str) -> Iterator[httpx.Response]:
    for stream in (False, True):
        for content in (HARMLESS, SENSITIVE, "400", "401", "429", "500", "cut", "no json"):
            yield ask(url, content, stream=stream)
        yield ask(url, HARMLESS, model="gone", stream=stream)
    yield ask(url, HARMLESS, authorization=f"Bearer {WRONG}")
    yield ask(url, HARMLESS, model=f"model-{COOKIE[:6]}\r\nx-forged: 1")
    yield httpx.get(f"{url}/v1/models?api_key={WRONG}", headers={"authorization": f"Bearer {CLIENT}"})
    yield httpx.post(
        f"{url}/v1/chat/completions", content=b"{", headers={"x-api-key": CLIENT, "content-type": "application/json"}
    )


def test_no_secret_comes_out(gateway, tmp_path, collector):
    answers = list(everything_that_goes_wrong(gateway.url))
    shown = [f"{answer.headers}\n{answer.text}" for answer in answers]
    shown.append(httpx.get(f"{gateway.url}/metrics", headers={"authorization": f"Bearer {CLIENT}"}).text)
    gateway.process.terminate()
    assert gateway.process.wait(30) == 0
    command = [sys.executable, "-m", "glasnost", "ledger", "export", "--ledger", str(tmp_path / "ledger.db")]
    exported = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    shown.append(exported)
    files = [path for path in tmp_path.rglob("*") if path.is_file() and path.name != "c.yaml"]
    shown += [path.read_bytes().decode(errors="replace") for path in files]
    shown += [body.decode(errors="replace") for body in collector.bodies]
    assert {answer.status_code for answer in answers} >= {200, 400, 401, 429, 502}, "each fault was met"
    assert len(exported.splitlines()) > 10
    assert len(collector.all("server")) >= 20
    assert {span.trace for span in collector.spans} >= _traces(exported) > set()
    assert collector.headers[0]["authorization"] == f"Bearer {COLLECTOR}", "the collector gets its own token"
    assert [canary for canary in CANARIES if any(canary in text for text in shown)] == []


def _traces(exported: str) -> set[str]:
    """Give the traces that the ledger's records name."""
    return set(re.findall(r'"trace_id": ?"([0-9a-f]{32})"', exported))
