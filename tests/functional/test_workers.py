"""`glasnost serve --workers 2`: one gateway to its clients and to Prometheus, whatever becomes of its processes."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import openai
import pytest
from prometheus_client.mmap_dict import MmapedDict
from prometheus_client.parser import text_string_to_metric_families

from gateway import HARMLESS, rule, script
from glasnost.record.ledger.place import at_file
from glasnost.record.ledger.verify import Counts, verify
from running import children_of, serve

pytestmark = pytest.mark.processes

TEXT = "Paris is the capital of France. It lies on the Seine."
ASKED = [{"role": "user", "content": HARMLESS}]
PATIENCE = 60


def write_config(folder, *, ledger="enabled: false"):
    (folder / "scripts").mkdir()
    slow = rule(TEXT, delay=0.1, when={"contains": "Slowly"})
    (folder / "scripts" / "a.yaml").write_text(script(slow, rule(TEXT, delay=0.01)))
    path = folder / "scripts" / "c.yaml"
    path.write_text(
        "server: {workers: 2, drain_min_seconds: 0.5, drain_seconds: 30}\n"
        f"ledger: {{{ledger}}}\naudit: {{packs: [general]}}\n"
        "upstreams: {a: {kind: scripted, script: a.yaml}}\nmodels: {asked: {upstream: a}}\n"
    )
    return str(path)


def wait_until(true):
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def words_of(pid):
    """Give what a worker was told: a file descriptor, its number, the folder that all share, and who watches."""
    words = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    return words[words.index("worker") + 1 :]


def runs(pid):
    """Say whether there is such a process, and it has not ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def worker(server, number):
    [pid] = [pid for pid in children_of(server.process.pid) if words_of(pid)[1] == str(number)]
    return pid


def folder_of(server):
    return Path(words_of(children_of(server.process.pid)[0])[2])


def counted_by(server, number):
    """Give how many requests for the model one worker has counted."""
    told = MmapedDict.read_all_values_from_file(folder_of(server) / f"counter_{number}.db")
    return sum(value for key, value, _, _ in told if "glasnost_requests_total" in key and '"asked"' in key)


class Load:
    """Clients that ask for streams, each on a new connection, until told to stop."""

    def __init__(self, server, clients=8):
        self.answered = 0
        self.broken = 0
        self._server = server
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._ask) for _ in range(clients)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        for thread in self._threads:
            thread.join(PATIENCE)

    def _ask(self):
        while not self._over.is_set():
            with self._server.openai(PATIENCE) as client:
                try:
                    stream = client.chat.completions.create(model="asked", messages=ASKED, stream=True)
                    said = "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)
                    whole = said == TEXT
                except (openai.APIError, httpx.HTTPError):
                    whole = False
            with self._lock:
                self.answered += whole
                self.broken += not whole


def scrape(server):
    """Give all series that may only grow, and the gauges, by name and labels."""
    text = httpx.get(f"{server.url}/metrics", timeout=PATIENCE).text
    growing, gauges = {}, {}
    for family in text_string_to_metric_families(text):
        place = growing if family.type in ("counter", "histogram") else gauges
        place.update({(each.name, *sorted(each.labels.items())): each.value for each in family.samples})
    return growing, gauges


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("workers")
    with serve("--config", write_config(folder, ledger=f"path: {folder}/ledger.db")) as running:
        running.ledger = at_file(folder / "ledger.db")
        yield running


def test_all_workers_answer_and_any_of_them_tells_the_sum(server):
    with Load(server) as load:
        wait_until(lambda: counted_by(server, 0) >= 5 and counted_by(server, 1) >= 5)
    assert load.broken == 0
    both = counted_by(server, 0) + counted_by(server, 1)
    assert both == load.answered
    for _ in range(6):
        assert server.metric("glasnost_requests_total", model="asked", code="200") == load.answered
        assert server.metric("glasnost_audits_total", model="asked", label="complete") == load.answered
        assert server.metric("glasnost_request_duration_seconds_count", endpoint="chat") == load.answered
        assert server.metric("glasnost_requests_in_flight") == 0
        assert server.metric("glasnost_ready") == 1


def test_a_worker_killed_under_load_is_replaced_and_nothing_that_counts_goes_backwards(server):
    backwards, last = [], {}
    with Load(server) as load:
        wait_until(lambda: load.answered >= 20)
        wait_until(lambda: counted_by(server, 1) > 0)
        victim = worker(server, 1)
        before = counted_by(server, 1)
        os.kill(victim, signal.SIGKILL)
        end = time.monotonic() + PATIENCE
        replaced = False
        while time.monotonic() < end and not replaced:
            with contextlib.suppress(httpx.HTTPError):  # the one that was asked may be the one that died
                growing, _ = scrape(server)
                backwards += [(key, last[key], value) for key, value in growing.items() if value < last.get(key, 0)]
                last |= growing
            replaced = (folder_of(server) / "started-1").exists() and victim not in children_of(server.process.pid)
        assert replaced
        wait_until(lambda: counted_by(server, 1) > before)
        answered = load.answered
        wait_until(lambda: load.answered > answered)
    assert backwards == []
    assert load.broken <= 8  # no client lost more than what the dead worker had of it
    wait_until(server.ready)
    growing, gauges = scrape(server)
    assert sum(value for key, value in gauges.items() if key[0] == "glasnost_requests_in_flight") == 0
    assert gauges["glasnost_ready",] == 1
    assert all(growing[key] >= value for key, value in last.items())


def test_the_ledger_of_several_writers_is_whole(server):
    with server.ledger.reader().connect() as connection:
        counts = Counts()
        assert list(verify(connection, counts)) == []
    assert counts.chains >= 2


def test_a_hangup_reloads_every_worker(server):
    before = server.metric("glasnost_config_reloads_total", result="ok")
    server.process.send_signal(signal.SIGHUP)
    wait_until(lambda: server.metric("glasnost_config_reloads_total", result="ok") == before + 2)
    assert server.metric("glasnost_config_last_reload_successful") == 1


def test_a_signal_to_stop_lets_every_worker_finish_what_it_has_begun(server):
    folder = folder_of(server)
    slowly = [{"role": "user", "content": f"{HARMLESS} Slowly."}]
    streams = [server.openai().chat.completions.create(model="asked", messages=slowly, stream=True) for _ in range(6)]
    begun = [next(stream) for stream in streams]
    server.process.send_signal(signal.SIGTERM)
    for first, stream in zip(begun, streams, strict=True):
        chunks = [first, *stream]
        assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == TEXT
    assert server.process.wait(PATIENCE) == 0
    assert not folder.exists()


def test_workers_end_with_the_process_that_watches_over_them(tmp_path):
    command = [sys.executable, "-m", "glasnost", "serve", "--config", write_config(tmp_path), "--port", "0"]
    # Killed, it leaves its folder behind, which the next gateway would clear away.
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, env=os.environ | {"TMPDIR": str(tmp_path)})
    wait_until(lambda: len(children_of(process.pid)) == 2)
    workers = children_of(process.pid)
    process.kill()
    process.wait(10)
    wait_until(lambda: not any(runs(pid) for pid in workers))
