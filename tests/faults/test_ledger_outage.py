"""A ledger that cannot be written: nothing is served without a record, and it comes back by itself."""

import asyncio
import json
import resource
import time

import httpx
import pytest
from sqlalchemy import select

from exchanges import exchange, ledger, record
from glasnost.errors import AuditUnavailable
from glasnost.record.ledger import read
from glasnost.record.ledger.place import at_file, at_server, prepare
from glasnost.record.ledger.tables import entries
from glasnost.record.ledger.verify import Counts, verify
from kills import BODY, CONFIG, SCRIPT
from postgres import postgres
from running import serve

PATIENCE = 60


def notes(place, kind):
    with place.reader().connect() as connection:
        found = [note for note in read.notes(connection) if note.kind == kind]
        assert list(verify(connection, Counts())) == []
    return [json.loads(note.body)["facts"] for note in found]


async def until(true):
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)


def eventually(true):
    asyncio.run(until(true))


async def started(each):
    await each.start()
    await until(lambda: each.healthy)


def full(server):
    """Let the server's files grow no further, as on a disk that is full."""
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))


def emptied(server):
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def configured(folder):
    text = CONFIG.format(ledger=folder / "ledger.db").replace("content: full", "timeout_seconds: 2")
    (folder / "glasnost.yaml").write_text(text)
    (folder / "script.yaml").write_text(json.dumps(SCRIPT))
    return serve("--config", str(folder / "glasnost.yaml"))


def ask(server, *, stream=False):
    return httpx.post(f"{server.url}/v1/chat/completions", json={**BODY, "stream": stream}, timeout=PATIENCE)


@pytest.mark.faults
def test_while_the_disk_is_full_requests_are_refused_and_afterwards_they_are_not(tmp_path):
    with configured(tmp_path) as server:
        assert ask(server).status_code == 200
        full(server)
        for stream in (False, True):
            refused = ask(server, stream=stream)
            assert refused.status_code == 503
            assert refused.json()["error"]["code"] == "audit_unavailable"
        assert httpx.get(f"{server.url}/readyz").json()["waiting_for"] == ["ledger"]
        assert httpx.get(f"{server.url}/livez").status_code == 200
        assert server.metric("glasnost_ledger_healthy") == 0
        assert server.metric("glasnost_ledger_records_total", result="failed") > 0
        assert server.metric("glasnost_rejections_total", reason="audit_unavailable") == 2
        emptied(server)
        eventually(server.ready)
        assert ask(server, stream=True).text.endswith("data: [DONE]\n\n")
        assert server.metric("glasnost_ledger_healthy") == 1
    gaps = notes(at_file(tmp_path / "ledger.db"), "gap")
    assert sum(gap["refused"] for gap in gaps) >= 1
    assert all(gap["unrecorded"] == 0 for gap in gaps)


@pytest.mark.faults
def test_an_open_ledger_lets_exchanges_go_on_and_notes_the_gap(tmp_path):
    place = at_file(tmp_path / "ledger.db")
    prepare(place)
    late, many = exchange(), [exchange() for _ in range(10)]

    async def work():
        each = ledger(place, timeout_seconds=0.3, on_failure="open", max_backlog=6)
        await started(each)
        with place.engine().connect() as other, other.begin():  # holds the one right to write
            other.execute(select(entries.c.seq))
            await record(each, late, *many)
            assert not each.healthy
        await until(lambda: each.healthy)
        await record(each, exchange())
        await each.aclose()

    asyncio.run(work())
    gaps = notes(place, "gap")
    with place.reader().connect() as connection:
        recorded = {found.entry.exchange for found in read.ends(connection)}
    assert late.id in recorded
    unrecorded = sum(one.id not in recorded for one in many)
    assert sum(gap["unrecorded"] for gap in gaps) == unrecorded > 0
    assert sum(gap["refused"] for gap in gaps) == 0


@pytest.mark.faults
def test_a_server_that_goes_away_is_waited_for():
    async def work(server, place):
        each = ledger(place, timeout_seconds=1)
        await started(each)
        before, during, after = exchange(), exchange(), exchange()
        await record(each, before)
        await each.opened(during)
        server.stop()
        with pytest.raises(AuditUnavailable):
            await each.closed(during)
        await until(lambda: not each.healthy)
        with pytest.raises(AuditUnavailable):
            each.opened(exchange())
        server.start()
        await until(lambda: each.healthy)
        await record(each, after)
        await each.aclose()
        return before, during, after

    with postgres() as server:
        place = at_server(server.url())
        prepare(place)
        kept = asyncio.run(work(server, place))
        gaps = notes(place, "gap")
        assert len(notes(place, "genesis")) == 2
        with place.reader().connect() as connection:
            closed = {found.entry.exchange: json.loads(found.entry.body)["facts"] for found in read.ends(connection)}
    assert sum(gap["refused"] for gap in gaps) == 1
    assert sum(gap["late"] for gap in gaps) == 1
    assert {one.id for one in kept} == set(closed)
    assert closed[kept[1].id]["late"] is True
    assert "late" not in closed[kept[2].id]


@pytest.mark.faults
def test_a_writer_that_is_stuck_refuses_what_waits_too_long(tmp_path):
    place = at_file(tmp_path / "ledger.db")
    prepare(place)

    async def work():
        each = ledger(place, timeout_seconds=0.3)
        await started(each)
        await record(each, exchange())
        with place.engine().connect() as other, other.begin():  # holds the one right to write
            other.execute(select(entries.c.seq))
            opening = each.opened(exchange())
            with pytest.raises(AuditUnavailable):
                await opening
            assert not each.healthy
            with pytest.raises(AuditUnavailable):
                each.opened(exchange())
        await until(lambda: each.healthy)
        await record(each, exchange())
        await each.aclose()

    asyncio.run(work())
    assert sum(gap["refused"] for gap in notes(place, "gap")) == 2
