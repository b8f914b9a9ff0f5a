"""Retention: what is too old goes, piece by piece, and the ledger stays whole at every moment."""

import asyncio

import pytest
from sqlalchemy import func, select

from exchanges import exchange, ledger, record
from glasnost.record.ledger import chain, pruner, read
from glasnost.record.ledger.presence import presence
from glasnost.record.ledger.pruner import Pruner
from glasnost.record.ledger.tables import contents, entries, writers
from glasnost.record.ledger.verify import Counts, verify

DAY = 86_400_000_000


def kept(place, days, **settings):
    """Record an exchange on every day given, all in one chain that ends in good order."""

    async def work():
        now = {"at": 0}
        each = ledger(place, content="full", **settings)
        each._now = each._writer._now = lambda: now["at"]
        now["at"] = days[0] * DAY
        await each.start()
        for day in days:
            now["at"] = day * DAY
            await record(each, exchange())
        await each.aclose()

    asyncio.run(work())


def count(place, table):
    with place.reader().connect() as connection:
        return connection.scalar(select(func.count()).select_from(table))


def breaks(place):
    with place.reader().connect() as connection:
        return list(verify(connection, Counts()))


def prune(place, today, *, until=None, **limits):
    """Run the chore as a writer does, at most `until` pieces; the ledger must be whole after each."""
    chore = Pruner(limits.get("records"), limits.get("contents"))
    lock, name = presence(place), chain.new_name()
    with place.engine().connect() as connection:
        with connection.begin():
            lock.hold(connection, name)
            head = chain.begin(connection, name, lock, today * DAY)
        steps = 0
        while chore.due() and steps != until:
            with connection.begin():
                head = chore.step(connection, head, today * DAY)
            assert breaks(place) == []
            steps += 1
        with connection.begin():
            chain.end(connection, head, today * DAY)
    lock.release()
    return steps


def test_what_is_too_old_is_gone_and_the_rest_is_whole(place):
    kept(place, [1, 2, 30, 31])
    prune(place, 40, records=20)
    with place.reader().connect() as connection:
        assert len(list(read.ends(connection))) == 2
    assert count(place, contents) == 2


def test_a_chain_that_is_wholly_too_old_goes_with_its_writer(place):
    kept(place, [1, 2])
    kept(place, [30])
    prune(place, 40, records=20)
    assert count(place, contents) == 1
    assert count(place, writers) == 2
    prune(place, 60, records=20)  # the note of the first time is itself too old now
    prune(place, 80, records=20)
    assert breaks(place) == []
    assert count(place, contents) == 0


def test_contents_can_go_before_their_records(place):
    kept(place, [1, 2, 30])
    before = count(place, entries)
    prune(place, 40, contents=20)
    assert count(place, contents) == 1
    assert count(place, entries) == before + 3  # a beginning, the note and an end


def test_an_interrupted_pruning_leaves_a_ledger_that_is_whole_and_is_taken_up_again(place, monkeypatch):
    monkeypatch.setattr(pruner, "PIECE", 2)
    kept(place, [1, 2, 3, 4, 30])
    prune(place, 40, until=3, records=20)
    assert breaks(place) == []
    prune(place, 40, records=20)
    with place.reader().connect() as connection:
        assert len(list(read.ends(connection))) == 1


def test_nothing_is_noted_where_nothing_is_too_old(place):
    kept(place, [39])
    assert prune(place, 40, records=20) == 1
    with place.reader().connect() as connection:
        assert "pruned" not in {note.kind for note in read.notes(connection)}


def test_entries_that_were_deleted_without_a_note_are_missing(place):
    kept(place, [1, 2, 30])
    with place.engine().begin() as connection:
        connection.execute(entries.delete().where(entries.c.seq <= 3))
    assert [(each.seq, each.what) for each in breaks(place)] == [(1, "entries 1 to 3 are missing")]


@pytest.mark.parametrize("limits", [(20, None), (None, 20)])
def test_a_writer_prunes_between_its_groups(place, limits):
    kept(place, [1, 2])

    async def work():
        each = ledger(place, chores=[Pruner(*limits)])
        await each.start()
        for _ in range(100):
            if count(place, contents) == 0:
                break
            await asyncio.sleep(0.1)
        await record(each, exchange())
        await each.aclose()

    asyncio.run(work())
    assert count(place, contents) == 1
    assert breaks(place) == []
