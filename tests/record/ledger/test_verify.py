"""Whatever is done to a ledger behind its back is found, at its place, on SQLite and on PostgreSQL."""

import shutil
import time

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import delete, select, update

from exchanges import exchange, ledger, record, run
from glasnost.errors import LedgerError
from glasnost.record.ledger import checkpoint, read
from glasnost.record.ledger.entry import Head
from glasnost.record.ledger.erase import erase
from glasnost.record.ledger.tables import contents, entries
from glasnost.record.ledger.verify import Counts, verify

KEY = Ed25519PrivateKey.generate()


def breaks(place, claims=()):
    with place.reader().connect() as connection:
        return list(verify(connection, Counts(), claims))


def chain_of(place):
    with place.reader().connect() as connection:
        return next(read.chains(connection))


def change(place, statement):
    with place.engine().begin() as connection:
        connection.execute(statement)


def head(place, seq):
    with place.reader().connect() as connection:
        row = connection.execute(select(entries.c.chain, entries.c.hash).where(entries.c.seq == seq)).one()
    return Head(row.chain, seq, row.hash)


def witnessed(*heads):
    lines = [checkpoint.sign(KEY, each, 1) for each in heads]
    return checkpoint.claims(lines, KEY.public_key(), "file")


@pytest.fixture
def kept(place):
    """Three exchanges: entries 1 to 8, the ends of exchanges at 3, 5 and 7."""
    run(ledger(place, content="full"), lambda each: record(each, exchange(), exchange(), exchange()))
    return place


def test_a_ledger_that_nobody_touched_is_whole(kept):
    counts = Counts()
    with kept.reader().connect() as connection:
        assert list(verify(connection, counts)) == []
    assert (counts.chains, counts.entries, counts.contents) == (1, 8, 3)


def test_an_edited_entry_is_named(kept):
    chain = chain_of(kept)
    with kept.reader().connect() as connection:
        body = connection.scalar(select(entries.c.body).where(entries.c.seq == 5))
    change(kept, update(entries).where(entries.c.seq == 5).values(body=body.replace("refusal", "complete")))
    found = breaks(kept)
    assert [(each.chain, each.seq) for each in found] == [(chain, 5)]
    assert "does not have its hash" in found[0].what


def test_an_edited_column_is_named(kept):
    change(kept, update(entries).where(entries.c.seq == 4).values(exchange="gx-other"))
    assert [(each.seq, "columns" in each.what) for each in breaks(kept)] == [(4, True)]


def test_an_entry_with_a_new_hash_is_found_by_the_next_one(kept):
    forged = Head(chain_of(kept), 4, head(kept, 4).hash).seal("closed", 5, {"content": None}, "gx-forged")
    values = {"body": forged.body, "hash": forged.hash, "at": 5, "exchange": "gx-forged"}
    change(kept, update(entries).where(entries.c.seq == 5).values(**values))
    assert [(each.seq, each.what) for each in breaks(kept)] == [(6, "it does not follow the entry before it")]


def test_a_deleted_entry_is_named(kept):
    change(kept, delete(entries).where(entries.c.seq.in_((4, 5))))
    assert [(each.seq, each.what) for each in breaks(kept)] == [(4, "entries 4 to 5 are missing")]


def test_two_swapped_entries_are_named(kept):
    for old, new in ((3, -1), (5, 3), (-1, 5)):
        change(kept, update(entries).where(entries.c.seq == old).values(seq=new))
    assert [each.seq for each in breaks(kept)] == [3, 4, 5, 6]


def test_a_cut_tail_is_found_by_a_checkpoint(kept):
    signed = head(kept, 8)
    change(kept, delete(entries).where(entries.c.seq > 5))
    assert breaks(kept) == []
    found = breaks(kept, witnessed(head(kept, 3), signed))
    assert [each.seq for each in found] == [6]
    assert "line 2 of file names entry 8" in found[0].what


def test_a_cut_tail_is_found_by_the_chain_that_began_behind_it(kept):
    first = chain_of(kept)
    run(ledger(kept), lambda each: record(each, exchange()))
    change(kept, delete(entries).where(entries.c.chain == first, entries.c.seq > 5))
    assert [(each.chain, each.seq) for each in breaks(kept)] == [(first, 6)]


def test_a_whole_chain_that_is_gone_is_found(kept):
    first = chain_of(kept)
    run(ledger(kept), lambda each: record(each, exchange()))
    change(kept, delete(entries).where(entries.c.chain == first))
    assert [(each.chain, each.seq) for each in breaks(kept)] == [(first, 1)]


def test_an_older_copy_is_found_by_a_checkpoint(tmp_path, place):
    if place.file is None:
        pytest.skip("a copy of a server's folder is no other case than a cut tail")
    run(ledger(place), lambda each: record(each, exchange()))
    copy = tmp_path / "copy.db"
    shutil.copy(place.file, copy)
    run(ledger(place), lambda each: record(each, exchange()))
    with place.reader().connect() as connection:
        newest = [found.entry.head for chain in read.chains(connection) for found in read.entries_of(connection, chain)]
    shutil.copy(copy, place.file)
    assert breaks(place) == []
    found = breaks(place, witnessed(*newest))
    assert [each.seq for each in found] == [1]


def test_a_rewritten_chain_is_found_by_a_checkpoint(kept):
    signed = Head(chain_of(kept), 5, "f" * 64)
    found = breaks(kept, witnessed(signed))
    assert [(each.seq, each.what) for each in found] == [(5, "it is not the one that line 1 of file names")]


def test_a_checkpoint_of_another_key_and_a_line_that_is_none_are_refused():
    line = checkpoint.sign(KEY, Head("c", 3, "f" * 64), 1)
    other = Ed25519PrivateKey.generate().public_key()
    with pytest.raises(LedgerError, match="line 1 of file does not have a signature"):
        list(checkpoint.claims([line], other, "file"))
    with pytest.raises(LedgerError, match="is no checkpoint"):
        list(checkpoint.claims([b"[]\n"], KEY.public_key(), "file"))
    assert list(checkpoint.claims([line[:-10]], KEY.public_key(), "file")) == []


def test_an_edited_content_is_named(kept):
    change(kept, update(contents).where(contents.c.seq == 3).values(content="{}"))
    assert [(each.seq, "content" in each.what) for each in breaks(kept)] == [(3, True)]


def test_a_content_that_is_gone_is_named_unless_it_was_erased(kept):
    with kept.reader().connect() as connection:
        ids = [found.entry.exchange for found in read.ends(connection)]
    assert erase(kept, ids[0], "asked by the person", time.time_ns() // 1_000) == 1
    assert breaks(kept) == []
    with kept.reader().connect() as connection:
        kinds = [found.entry.kind for found in read.exchange(connection, ids[0])]
        assert kinds == ["opened", "closed", "erased"]
        assert read.exchange(connection, ids[0])[1].salt is None
    change(kept, delete(contents).where(contents.c.seq == 5))
    assert [(each.seq, each.what) for each in breaks(kept)] == [(5, "its content is missing, and nothing says why")]
    with pytest.raises(LedgerError, match="no content"):
        erase(kept, ids[0], "again", 1)


def test_what_is_erased_is_not_in_the_files_any_more(tmp_path, place):
    if place.file is None:
        pytest.skip("a server keeps old rows until it vacuums")
    one = exchange()
    run(ledger(place, content="full"), lambda each: record(each, one))
    assert erase(place, one.id, "asked", 1) == 1
    assert not any(b"Liu Xiaobo" in path.read_bytes() for path in tmp_path.iterdir() if path.is_file())
