"""Several workers count into shared files: what one tells is what the library makes of the files of all."""

import asyncio
import json

import httpx
import pytest
from prometheus_client import CollectorRegistry, Gauge, values
from prometheus_client.exposition import generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.parser import text_string_to_metric_families

from gateway import CONFIG, GAGGED, OPEN
from glasnost import services
from glasnost.config import parse_config
from glasnost.policy.policy import Policy
from glasnost.record.exchange_metrics import ExchangeMetrics
from glasnost.record.failover_metrics import FailoverMetrics
from glasnost.record.ledger_metrics import LedgerMetrics
from glasnost.record.metrics import Metrics
from glasnost.record.processes import new_registry
from glasnost.record.quotas import Quotas
from glasnost.record.reload_metrics import ReloadMetrics
from glasnost.record.sharing import Crew, Shared, all_started, take_away
from glasnost.server.drain import Drain
from glasnost.upstream.script import parse_script
from packs import compiled


@pytest.fixture(autouse=True)
def _as_it_was(monkeypatch, tmp_path):
    """Undo what makes a process a worker."""
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    monkeypatch.setattr(values, "ValueClass", values.ValueClass)


INFO = "glasnost_policy_info"


class Circuits:
    def __init__(self):
        self.retries = {("one", "sent"): 4}
        self.ejections = {"one": 1}
        self.state = "open"

    def in_flight(self):
        return {"one": 2}

    def states(self):
        return {"one": self.state}


class Worker:
    """All metrics of a worker, in this process: files belong to a number, not to a process."""

    def __init__(self, folder, number, models=("asked",)):
        shared = Shared(Crew(folder, number))
        self._own = values.ValueClass
        self.metrics = Metrics(CollectorRegistry(), "1.2.3", read=shared)
        self.exchanges = ExchangeMetrics(self.metrics, {name: [name] for name in models}, ["prc.a"], ["one"])
        self.ledger = LedgerMetrics(self.metrics)
        self.reloads = ReloadMetrics(self.metrics)
        self.circuits = Circuits()
        Quotas(self.metrics)
        FailoverMetrics(self.metrics, self.circuits)

    def acts(self):
        """Let the series that begin now be this worker's."""
        values.ValueClass = self._own

    def told(self):
        """Give all series with their numbers."""
        self.acts()
        return told(self.metrics.write("")[0].decode())


def told(text):
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def of_library(folder):
    registry = CollectorRegistry()
    MultiProcessCollector(registry, str(folder))
    return told(generate_latest(registry).decode())


def test_what_comes_between_two_scrapes_is_told_by_the_second(tmp_path):
    one, two = Worker(tmp_path, 0), Worker(tmp_path, 1)
    assert one.told() == of_library(tmp_path)
    two.acts()
    for length in range(20):  # every way to fill a key up
        two.metrics.requests.labels("chat", "m" * length, "200", "é").inc(length)
        two.metrics.request_duration.labels("c" * length, "true").observe(length)
    assert one.told() == two.told() == of_library(tmp_path)


def test_any_worker_tells_what_the_library_reads_in_the_files_of_all(tmp_path):
    one, two = Worker(tmp_path, 0), Worker(tmp_path, 1, models=("asked", "only here"))
    one.metrics.requests.labels("chat", "asked", "200", "true").inc(3)
    two.metrics.requests.labels("chat", "asked", "200", "true").inc(4)
    two.metrics.requests.labels("chat", "asked", "418", "true").inc()
    one.metrics.request_duration.labels("chat", "true").observe(0.3)
    two.metrics.request_duration.labels("chat", "true").observe(99)
    one.metrics.in_flight.labels("chat").set(5)
    two.metrics.in_flight.labels("chat").set(6)
    one.ledger.stands(10, 100.0)
    two.ledger.stands(20, 50.0)
    two.ledger.fails()
    one.metrics.draining.set(1)
    expected = of_library(tmp_path)
    assert one.told() == expected
    assert two.told() == expected
    served = (("code", "200"), ("endpoint", "chat"), ("model", "asked"), ("stream", "true"))
    assert expected["glasnost_requests_total", *served] == 7
    assert expected["glasnost_requests_in_flight", ("endpoint", "chat")] == 11
    assert expected["glasnost_ledger_chain_seq",] == 30
    assert expected["glasnost_ledger_last_success_timestamp_seconds",] == 50
    assert expected["glasnost_ledger_healthy",] == 0
    assert expected["glasnost_draining",] == 1


def test_every_gauge_says_what_those_of_several_workers_come_to(tmp_path):
    registry = Worker(tmp_path, 0).metrics.registry
    gauges = [each for each in registry._collector_to_names if isinstance(each, Gauge)]
    assert len(gauges) > 10
    assert {each._multiprocess_mode for each in gauges} <= {"livesum", "livemin", "livemax"}


def test_the_successor_of_a_worker_goes_on_counting_and_its_gauges_begin_anew(tmp_path):
    other, killed = Worker(tmp_path, 0), Worker(tmp_path, 1)
    killed.metrics.rejections.labels("auth").inc(7)
    killed.metrics.in_flight.labels("chat").set(3)
    killed.circuits.retries["one", "sent"] = 6
    killed.metrics.look()
    take_away(tmp_path, 1)
    gone = other.told()
    assert gone["glasnost_rejections_total", ("reason", "auth")] == 7
    assert gone["glasnost_requests_in_flight", ("endpoint", "chat")] == 0
    successor = Worker(tmp_path, 1)
    successor.metrics.rejections.labels("auth").inc()
    assert other.told()["glasnost_rejections_total", ("reason", "auth")] == 8
    assert other.told()["glasnost_upstream_retries_total", ("result", "sent"), ("upstream", "one")] == 4 + 6 + 4
    assert successor.told()["glasnost_requests_in_flight", ("endpoint", "chat")] == 0


def test_a_circuit_shows_as_open_while_any_worker_has_opened_it(tmp_path):
    one, two = Worker(tmp_path, 0), Worker(tmp_path, 1)
    one.circuits.state = two.circuits.state = "closed"
    one.metrics.look()
    two.metrics.look()
    state = ("glasnost_circuit_state", ("state", "open"), ("upstream", "one"))
    assert one.told()[state] == 0
    two.circuits.state = "open"
    two.metrics.look()
    assert one.told()[state] == 1


def test_a_policy_that_no_longer_judges_shows_as_0(tmp_path):
    worker = Worker(tmp_path, 0)
    worker.reloads.took({("old",): Policy(())})
    worker.reloads.took({("new",): Policy(())})
    shown = {dict(labels)["policy"]: value for (name, *labels), value in worker.told().items() if name == INFO}
    assert shown == {"old": 0, "new": 1}


def test_what_processes_use_is_told_for_all_of_them():
    names = {family.name for family in new_registry(shared=True).collect()}
    assert {"process_resident_memory_bytes", "process_cpu_seconds", "process_open_fds"} <= names
    assert "python_gc_objects_collected" not in names


def test_readiness_waits_until_all_workers_have_come_to_serve(tmp_path):
    crew = Crew(tmp_path, 0)
    config = parse_config(CONFIG + "ledger: {enabled: false}\n", "test")
    scripts = {"gagged": parse_script(GAGGED, "gagged"), "open": parse_script(OPEN, "open")}
    packs = config.audit.packs
    service = services.build_service(config, {packs: compiled(packs)}, {}, scripts, {}, drain=Drain(), crew=crew)

    async def ask(path):
        async with httpx.AsyncClient(transport=httpx.ASGITransport(service), base_url="http://localhost") as client:
            return await client.get(path)

    crew.started()
    assert not all_started(tmp_path, 2)
    waiting = asyncio.run(ask("/readyz"))
    assert (waiting.status_code, json.loads(waiting.content)["waiting_for"]) == (503, ["the other workers"])
    Crew(tmp_path, 1).started()
    assert all_started(tmp_path, 2)
    assert asyncio.run(ask("/readyz")).status_code == 200
    take_away(tmp_path, 1)
    assert asyncio.run(ask("/readyz")).status_code == 200
    assert b"glasnost_ready 1.0" in asyncio.run(ask("/metrics")).content
