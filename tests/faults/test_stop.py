"""The gateway is told to stop while it answers: what was begun is finished or ended in words, nobody is turned away.

The load balancer is a real HAProxy, from Debian.
"""

import contextlib
import itertools
import json
import shutil
import signal
import subprocess
import threading
import time

import httpx
import openai
import pytest

from gateway import HARMLESS, rule, script
from running import Server, free_port, serve

pytestmark = pytest.mark.faults

TEXT = "Paris is the capital of France. It lies on the Seine."
ASKED = [{"role": "user", "content": HARMLESS}]


def config(tmp_path, *, delay=0.1, drain_min=0.5, drain=30):
    (tmp_path / "a.yaml").write_text(script(rule(TEXT, delay=delay)))
    path = tmp_path / "c.yaml"
    path.write_text(
        f"server: {{drain_min_seconds: {drain_min}, drain_seconds: {drain}}}\n"
        "ledger: {enabled: false}\naudit: {packs: [general]}\n"
        "upstreams: {a: {kind: scripted, script: a.yaml}}\nmodels: {asked: {upstream: a}}\n"
    )
    return str(path)


def begin(server):
    """Begin a stream and take its first chunk."""
    stream = server.openai().chat.completions.create(model="asked", messages=ASKED, stream=True)
    return stream, next(stream)


def test_a_running_stream_is_finished_and_the_server_exits_0(tmp_path):
    with serve("--config", config(tmp_path)) as server:
        stream, first = begin(server)
        server.process.send_signal(signal.SIGTERM)
        chunks = [first, *stream]
        assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == TEXT
        assert chunks[-1].model_extra["glasnost"]["label"] == "complete"
        assert server.process.wait(10) == 0


def test_at_the_signal_readiness_ends_and_new_requests_are_still_served(tmp_path):
    with serve("--config", config(tmp_path, delay=0.01, drain_min=20)) as server:
        server.process.send_signal(signal.SIGTERM)
        while (probe := httpx.get(f"{server.url}/readyz")).status_code == 200:
            time.sleep(0.01)
        assert probe.json() == {"ready": False, "waiting_for": ["the end: it is stopping"]}
        assert httpx.get(f"{server.url}/livez").status_code == 200
        assert server.metric("glasnost_draining") == 1
        answer = server.openai().chat.completions.with_raw_response.create(model="asked", messages=ASKED)
        assert answer.headers["connection"] == "close"
        assert answer.parse().choices[0].message.content == TEXT
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(10) == 0


@pytest.mark.parametrize("how", ["a second signal", "the end of the time to drain"])
def test_what_runs_too_long_is_ended_with_an_error_and_without_a_finish_reason(tmp_path, how):
    drain = 1 if how == "the end of the time to drain" else 600
    with serve("--config", config(tmp_path, delay=60, drain_min=0.5, drain=drain)) as server:
        request = httpx.Request(
            "POST", f"{server.url}/v1/chat/completions", json={"model": "asked", "messages": ASKED, "stream": True}
        )
        with httpx.Client(timeout=60) as client, contextlib.closing(client.send(request, stream=True)) as answer:
            lines = answer.iter_lines()
            assert next(lines)
            server.process.send_signal(signal.SIGTERM)
            if drain == 600:
                time.sleep(1)
                server.process.send_signal(signal.SIGTERM)
            rest = [json.loads(line[6:]) for line in lines if line.startswith("data: ")]
        assert rest[-1]["error"]["code"] == "stopping"
        assert not any(choice["finish_reason"] for chunk in rest[:-1] for choice in chunk["choices"])
        assert server.process.wait(20) == 0


def test_a_unary_request_that_runs_too_long_gets_503(tmp_path):
    with serve("--config", config(tmp_path, delay=60, drain_min=0, drain=1)) as server:
        timer = threading.Timer(1, server.process.send_signal, [signal.SIGTERM])
        timer.start()
        with pytest.raises(openai.InternalServerError) as caught:
            server.openai().chat.completions.create(model="asked", messages=ASKED)
        assert (caught.value.status_code, caught.value.code) == (503, "stopping")
        assert server.process.wait(20) == 0


HAPROXY = """
global
  maxconn 200
defaults
  mode http
  option redispatch
  retries 3
  timeout connect 2s
  timeout client 60s
  timeout server 60s
frontend in
  bind 127.0.0.1:{port}
  default_backend gateways
backend gateways
  option httpchk
  http-check send meth GET uri /readyz ver HTTP/1.1 hdr Host localhost
  default-server inter 200ms fall 1 rise 1
  server one 127.0.0.1:{one} check
  server two 127.0.0.1:{two} check
"""


@contextlib.contextmanager
def balanced(tmp_path, *gateways):
    """Run HAProxy in front of two gateways; give its port."""
    haproxy = shutil.which("haproxy", path="/usr/sbin:/usr/local/sbin:/usr/bin")
    if haproxy is None:
        pytest.skip("haproxy is not installed; Debian has it")
    port = free_port()
    (tmp_path / "haproxy.cfg").write_text(HAPROXY.format(port=port, one=gateways[0], two=gateways[1]))
    process = subprocess.Popen([haproxy, "-db", "-f", str(tmp_path / "haproxy.cfg")], stderr=subprocess.DEVNULL)
    try:
        Server(process, port).wait_until_ready()
        yield port
    finally:
        process.terminate()
        process.wait(10)


class Load:
    """Clients that ask one after the other, by turns for a stream and a whole answer, until told to stop."""

    def __init__(self, port, clients):
        self.answered = 0
        self.failures = []
        self._over = threading.Event()
        self._port = port
        self._threads = [threading.Thread(target=self._ask) for _ in range(clients)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        for thread in self._threads:
            thread.join(60)

    def wait_for(self, answers):
        """Wait until so many more were answered; a failure ends the waiting."""
        target, deadline = self.answered + answers, time.monotonic() + 120
        while self.answered < target and not self.failures:
            assert time.monotonic() < deadline, "the load is not answered"
            time.sleep(0.05)

    def _ask(self):
        # No retries: what a client of this library would hide counts as a failure here.
        client = openai.OpenAI(base_url=f"http://127.0.0.1:{self._port}/v1", api_key="none", max_retries=0, timeout=60)
        for stream in itertools.cycle([True, False]):
            if self._over.is_set():
                return
            try:
                answer = client.chat.completions.create(model="asked", messages=ASKED, stream=stream)
                if stream:
                    text = "".join(choice.delta.content or "" for chunk in answer for choice in chunk.choices)
                else:
                    text = answer.choices[0].message.content
                assert text == TEXT
                self.answered += 1
            except (openai.OpenAIError, AssertionError) as error:
                self.failures.append(repr(error))


def test_two_gateways_are_replaced_one_by_one_under_load_and_no_request_fails(tmp_path):
    path = config(tmp_path, delay=0.05, drain_min=2)
    with contextlib.ExitStack() as stack:
        running: list[Server] = [stack.enter_context(serve("--config", path)) for _ in range(2)]
        port = stack.enter_context(balanced(tmp_path, *[server.port for server in running]))
        with Load(port, clients=4) as load:
            load.wait_for(10)
            for old in running:
                old.process.send_signal(signal.SIGTERM)
                assert old.process.wait(60) == 0
                stack.enter_context(serve("--config", path, port=old.port))
                load.wait_for(10)
        assert load.failures == []
