"""What a ledger holds after exchanges, on SQLite and on PostgreSQL."""

import asyncio
import json
from dataclasses import replace

import pytest
from sqlalchemy import select

from exchanges import PROMPT, REFUSAL, exchange, ledger, record, run
from glasnost.record.ledger import chain
from glasnost.record.ledger.entry import Head, flaw
from glasnost.record.ledger.migrate import migrate
from glasnost.record.ledger.presence import presence
from glasnost.record.ledger.tables import contents, entries
from glasnost.wire.conversation import Conversation


def rows(place, table=entries):
    with place.engine().connect() as connection:
        return connection.execute(select(table).order_by(table.c.chain, table.c.seq)).all()


def facts(row):
    return json.loads(row.body)["facts"]


def test_an_exchange_is_two_entries_of_a_chain_that_begins_and_ends(place):
    one = exchange()
    run(ledger(place), lambda each: record(each, one))
    found = rows(place)
    assert [row.kind for row in found] == ["genesis", "opened", "closed", "end"]
    assert [row.exchange for row in found] == [None, one.id, one.id, None]
    before = Head(found[0].chain)
    for row in found:
        assert json.loads(row.body)["prev"] == before.hash
        before = Head(row.chain, row.seq, row.hash)


def test_a_record_binds_the_files_that_answered_and_the_policy_to_the_verdict(place):
    run(ledger(place), lambda each: record(each, exchange()))
    closed = facts(rows(place)[2])
    assert closed["policy"] == closed["verdict"]["policy"] == "abc"
    attempt = closed["attempts"][0]
    assert attempt["verdict"]["label"] == "refusal"
    assert attempt["identity"] == {"gguf_sha256": "f" * 64, "template_sha256": "e" * 64}
    assert attempt["tokens"] == {"prompt_tokens": 3, "completion_tokens": 5}
    assert attempt["microseconds"] == 250_000


@pytest.mark.parametrize("mode", ["none", "hash", "excerpt", "full"])
def test_the_chain_holds_no_word_of_what_was_said_and_the_mode_says_what_is_kept_beside_it(place, mode):
    run(ledger(place, content=mode), lambda each: record(each, exchange()))
    chained = "".join(row.body for row in rows(place))
    assert REFUSAL not in chained
    assert PROMPT not in chained
    kept = rows(place, contents)
    assert len(kept) == (mode != "none")
    text = kept[0].content if kept else None
    assert (text is not None) == (mode in ("excerpt", "full"))
    if text is not None:
        assert REFUSAL in text
        assert PROMPT in text


def test_many_at_once_are_written_in_groups_and_in_order(place):
    many = [exchange() for _ in range(200)]

    async def wait(awaitable):
        await awaitable

    async def work(each):
        opening = [each.opened(one) for one in many]
        closing = [each.closed(one) for one in many]
        await asyncio.gather(*map(wait, [*opening, *closing]))

    run(ledger(place), work)
    found = rows(place)[1:-1]
    assert [row.exchange for row in found] == [one.id for one in many] * 2
    assert [row.kind for row in found] == ["opened"] * 200 + ["closed"] * 200


def test_secrets_do_not_enter(place):
    said = (
        "my key is sk-abcdefghijklmnop1234 and Authorization: Bearer abcdefgh12345678 at "
        "https://user:hunter22@example.org, with upstream-secret-1"
    )
    one = exchange(conversation=Conversation.ask(said))
    run(ledger(place, content="full", secrets=["upstream-secret-1"]), lambda each: record(each, one))
    kept = rows(place, contents)[0].content + "".join(row.body for row in rows(place))
    for secret in ("abcdefghijklmnop1234", "abcdefgh12345678", "hunter22", "upstream-secret-1"):
        assert secret not in kept
    assert "example.org" in kept


def test_a_chain_names_the_ends_of_those_before_it(place):
    for _ in range(3):
        run(ledger(place), lambda each: record(each, exchange()))
    found = rows(place)
    genesis = sorted((row for row in found if row.kind == "genesis"), key=lambda row: row.at)
    ends = {row.chain: [row.seq, row.hash] for row in found if row.kind == "end"}
    assert facts(genesis[0])["follows"] == {}
    assert facts(genesis[1])["follows"] == {genesis[0].chain: ends[genesis[0].chain]}
    assert facts(genesis[2])["follows"] == {genesis[1].chain: ends[genesis[1].chain]}


def test_what_a_writer_that_is_gone_left_open_is_noted_once_by_the_next(place):
    gone, name = presence(place), chain.new_name()
    with place.engine().connect() as connection:
        with connection.begin():
            migrate(connection)
            gone.hold(connection, name)
            head = chain.begin(connection, name, gone, 1)
            left = [head.seal("opened", 2, {}, "gx-left")]
            left.append(left[-1].head.seal("opened", 3, {}, "gx-closed"))
            left.append(left[-1].head.seal("closed", 4, {}, "gx-closed"))
            chain.add(connection, left)
        run(ledger(place), lambda each: record(each, exchange()))
        assert not any(row.kind == "recovered" for row in rows(place))  # it is alive as yet
    gone.release()
    for _ in range(2):
        run(ledger(place), lambda each: record(each, exchange()))
    recovered = [row for row in rows(place) if row.kind == "recovered"]
    assert [row.exchange for row in recovered] == ["gx-left"]
    assert facts(recovered[0])["seq"] == left[-1].seq


def test_two_writers_at_a_time_have_a_chain_each(place):
    async def both():
        first, second = ledger(place), ledger(place)
        await first.start()
        await second.start()
        await asyncio.gather(record(first, exchange(), exchange()), record(second, exchange(), exchange()))
        await first.aclose()
        await second.aclose()

    asyncio.run(both())
    found = rows(place)
    assert len({row.chain for row in found}) == 2
    assert not any(row.kind == "recovered" for row in found)


def test_an_entry_tells_what_was_changed_in_it():
    first = Head("c").seal("genesis", 1, {})
    entry = first.head.seal("closed", 2, {"a": 1}, "gx")
    assert flaw(entry, first.head) is None
    assert "hash" in flaw(replace(entry, body=entry.body.replace("1", "2")), first.head)
    assert "columns" in flaw(replace(entry, kind="opened"), first.head)
    assert "follow" in flaw(entry, Head("c", 1, "f" * 64))
