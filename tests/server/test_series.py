"""What clients send adds no series, however much of it comes; and what holds up the event loop is seen."""

import asyncio
import hashlib
import json
import shutil
import subprocess
import threading
import time
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.parser import text_string_to_metric_families
from starlette.requests import Request

from gateway import CONFIG, GAGGED, OPEN, body, gateway
from glasnost.config import parse_config
from glasnost.record.metrics import Metrics
from glasnost.server.drain import Drain
from glasnost.server.loop_lag import watch_lag
from glasnost.server.routes import Probes
from glasnost.services import build_service
from glasnost.upstream.script import parse_script
from packs import compiled

KEY = "glasnost-test-key"
REQUESTS = 10_000
GOLDEN = Path(__file__).parents[1] / "golden" / "metrics.txt"


@pytest.fixture(scope="module")
def service():
    key = f"{{hash: 'sha256:{hashlib.sha256(KEY.encode()).hexdigest()}', scopes: [chat, 'audit:read']}}"
    config = parse_config(CONFIG + f"ledger: {{enabled: false}}\nserver: {{keys: [{key}]}}\n", "test")
    scripts = {"gagged": parse_script(GAGGED, "gagged"), "open": parse_script(OPEN, "open")}
    packs = config.audit.packs
    return build_service(config, {packs: compiled(packs)}, {}, scripts, {}, drain=Drain())


async def ask(service, method, path, key, content=b""):
    """Send one request into the application, without a socket; give its status and body."""
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [
            (b"host", b"localhost"),
            (b"content-type", b"application/json"),
            (b"authorization", f"Bearer {key}".encode()),
        ],
    }
    sent = []
    coming = [{"type": "http.request", "body": content, "more_body": False}]

    async def receive():
        if coming:
            return coming.pop()
        return await asyncio.Future()

    async def send(message):
        sent.append(message)

    await service(scope, receive, send)
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent[1:])


async def series(service):
    """Give the name and labels of all there are; the text must parse."""
    status, text = await ask(service, "GET", "/metrics", KEY)
    assert status == 200
    families = text_string_to_metric_families(text.decode())
    return {(each.name, *sorted(each.labels.items())) for family in families for each in family.samples}


def test_ten_thousand_unknown_models_and_keys_add_no_series(service):
    async def run():
        before = await series(service)
        statuses = set()
        for number in range(REQUESTS // 2):
            unknown = json.dumps({**body(), "model": f"m{number}", "stream": number % 2 == 0}).encode()
            statuses.add((await ask(service, "POST", "/v1/chat/completions", KEY, unknown))[0])
            statuses.add((await ask(service, "POST", f"/v1/p{number}", f"k{number}", unknown))[0])
        assert statuses == {401, 404}
        return before, await series(service)

    before, after = asyncio.run(run())
    assert after == before


def test_promtool_finds_nothing_wrong_with_the_metrics(service):
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed; it comes with Debian's prometheus")
    _, text = asyncio.run(ask(service, "GET", "/metrics", KEY))
    done = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, b"")


def test_what_a_gateway_exposes_is_the_golden_list():
    names = (line.split()[0].removesuffix("_total") for line in GOLDEN.read_text().splitlines())
    golden = {name for name in names if not name.startswith("glasnost_gpu_")}  # it has no engine
    with gateway() as each:
        text = httpx.get(f"{each.url}/metrics", timeout=30).text
        each.post(body())
        assert each.metric("glasnost_overhead_seconds_count", endpoint="chat") == 1
        deadline = time.monotonic() + 20
        while not each.metric("glasnost_event_loop_lag_seconds_count") and time.monotonic() < deadline:
            time.sleep(0.05)
        assert each.metric("glasnost_event_loop_lag_seconds_count") >= 1
    families = {family.name for family in text_string_to_metric_families(text)}
    assert {name for name in families if name.startswith("glasnost_")} == golden


def test_what_blocks_the_event_loop_shows_as_its_lag():
    metrics = Metrics(CollectorRegistry(), "1.2.3")

    async def run():
        watching = asyncio.create_task(watch_lag(metrics.loop_lag, 0.01))
        await asyncio.sleep(0)
        time.sleep(0.3)  # noqa: ASYNC251 - blocking is what is tested
        await asyncio.sleep(0.05)
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching

    asyncio.run(run())
    assert metrics.registry.get_sample_value("glasnost_event_loop_lag_seconds_sum") >= 0.25


def test_a_long_scrape_does_not_hold_up_the_event_loop():
    metrics = Metrics(CollectorRegistry(), "1.2.3")
    let_go = threading.Event()

    class Slow:
        def collect(self):
            yield GaugeMetricFamily("waited", "Whether it ended before its time.", value=let_go.wait(20))

    async def run():
        probes = Probes(metrics, Drain(), list)
        let_go.set()
        metrics.registry.register(Slow())
        let_go.clear()
        scrape = asyncio.create_task(probes.metrics(Request({"type": "http", "headers": []})))
        await asyncio.sleep(0.01)
        let_go.set()
        return (await scrape).body

    assert b"waited 1.0" in asyncio.run(run())
