"""`glasnost ledger`: what an auditor types, on a ledger of two exchanges."""

import csv
import io
import json

import pyarrow.parquet
import pytest
from sqlalchemy import delete
from typer.testing import CliRunner

from exchanges import PROMPT, REFUSAL, exchange, ledger, record, run
from glasnost.cli.ledger import app
from glasnost.config import CheckpointSettings
from glasnost.record.ledger.checkpoint import private_key
from glasnost.record.ledger.ledger import wall_clock
from glasnost.record.ledger.notary import Notary
from glasnost.record.ledger.place import at_file, prepare
from glasnost.record.ledger.tables import entries


@pytest.fixture
def place(tmp_path):
    found = at_file(tmp_path / "ledger.db")
    prepare(found)
    return found


@pytest.fixture
def two(place):
    pair = exchange(), exchange(served_by="", model="=HYPERLINK()")
    run(ledger(place, content="full"), lambda each: record(each, *pair))
    return pair


def call(place, *words, code=0):
    done = CliRunner().invoke(app, [*words, "--ledger", str(place.file)])
    assert done.exit_code == code, done.output
    return done


def test_a_whole_ledger_verifies_and_says_what_it_cannot_know(place, two):
    assert len(two) == 2
    done = call(place, "verify")
    assert done.stdout == "whole: 1 chains, 6 entries, 2 contents\n"
    assert "without --checkpoint" in done.stderr


def test_a_broken_one_exits_with_1_and_names_the_place(place, two):
    assert len(two) == 2
    with place.engine().begin() as connection:
        connection.execute(delete(entries).where(entries.c.seq == 3))
    done = call(place, "verify", code=1)
    assert "entry 3: entries 3 to 3 are missing" in done.stdout


@pytest.mark.parametrize("kind", ["file", "command"])
def test_checkpoints_of_a_run_prove_its_end(tmp_path, place, kind):
    public, signed = tmp_path / "public.pem", tmp_path / "checkpoints"
    public.write_text(CliRunner().invoke(app, ["keygen", str(tmp_path / "key.pem")]).stdout)
    target = {"file": str(signed)} if kind == "file" else {"command": ["tee", "-a", str(signed)]}
    settings = CheckpointSettings(key=str(tmp_path / "key.pem"), **target)
    each = ledger(place)
    notary = Notary(settings, private_key(tmp_path / "key.pem"), each._metrics, wall_clock)
    each._notary = notary
    run(each, lambda each: record(each, exchange()))
    words = ("verify", "--checkpoint", str(signed), "--key", str(public))
    assert call(place, *words).stderr == ""
    assert len(signed.read_text().splitlines()) == 2
    with place.engine().begin() as connection:
        connection.execute(delete(entries).where(entries.c.seq == 4))
    assert "entry 4: the chain ends before it" in call(place, *words, code=1).stdout
    assert "needs --key" in call(place, *words[:3], code=2).stderr


def test_a_checkpoint_that_cannot_be_delivered_is_tried_again(tmp_path, place):
    CliRunner().invoke(app, ["keygen", str(tmp_path / "key.pem")])
    settings = CheckpointSettings(key=str(tmp_path / "key.pem"), command=("false",), seconds=0.05)
    each = ledger(place)
    each._notary = Notary(settings, private_key(tmp_path / "key.pem"), each._metrics, wall_clock)
    run(each, lambda each: record(each, exchange()))
    assert each._metrics._checkpoints.labels("failed")._value.get() >= 2
    assert "cannot be made" in CliRunner().invoke(app, ["keygen", str(tmp_path / "key.pem")]).stderr


def test_tail_and_show_print_nothing_that_moves_a_cursor(place):
    one = exchange(model="a\x1b[2Jb\u202e")
    run(ledger(place), lambda each: record(each, one))
    printed = call(place, "tail").stdout + call(place, "show", one.id).stdout
    assert one.id in printed
    assert printed.replace("\n", "").isprintable()
    assert printed.isascii()


def test_show_gives_the_whole_exchange(place, two):
    opened, closed = json.loads(call(place, "show", two[0].id).stdout)
    assert (opened["kind"], closed["kind"]) == ("opened", "closed")
    assert closed["kept"]["messages"] == [{"role": "user", "text": PROMPT}]
    assert closed["kept"]["attempts"][0]["answers"] == [{"content": REFUSAL}]
    assert "There is no exchange" in call(place, "show", "gx-none", code=2).stderr


def test_stats_count_what_the_answers_were(place, two):
    assert len(two) == 2
    counted = json.loads(call(place, "stats").stdout)
    assert (counted["exchanges"], counted["entries"], counted["contents"]) == (2, 6, 2)
    assert counted["labels"] == {"asked: refusal": 1, "=HYPERLINK(): refusal": 1}
    assert json.loads(call(place, "stats", "--since", "2999-01-01").stdout)["exchanges"] == 0
    assert "--since is" in call(place, "stats", "--since", "yesterday", code=2).stderr


def test_exports_hold_the_same_exchanges_in_every_form(tmp_path, place, two):
    lines = [json.loads(line) for line in call(place, "export").stdout.splitlines()]
    assert [line["id"] for line in lines] == [one.id for one in two]
    call(place, "export", "--format", "csv", "-o", str(tmp_path / "e.csv"))
    rows = list(csv.DictReader(io.StringIO((tmp_path / "e.csv").read_text())))
    call(place, "export", "--format", "parquet", "-o", str(tmp_path / "e.parquet"))
    table = pyarrow.parquet.read_table(tmp_path / "e.parquet").to_pylist()
    for row, line, tabled in zip(rows, lines, table, strict=True):
        assert row["id"] == line["id"] == tabled["id"]
        assert row["hash"] == line["hash"] == tabled["hash"]
        assert float(row["seconds"]) == tabled["seconds"] == 0.3
        assert tabled["label"] == "refusal"
    assert call(place, "export", "--since", "2999-01-01").stdout == ""
    assert "needs --output" in call(place, "export", "--format", "parquet", code=2).stderr
    assert "is one of" in call(place, "export", "--format", "xml", code=2).stderr


def test_a_spreadsheet_finds_no_formula_in_an_export(place, two):
    assert len(two) == 2
    rows = list(csv.DictReader(io.StringIO(call(place, "export", "--format", "csv").stdout)))
    assert [row["model"] for row in rows] == ["asked", "'=HYPERLINK()"]


def test_what_was_said_is_erased_on_request(place, two):
    assert "erased 1 contents" in call(place, "erase", two[0].id, "--reason", "asked").stdout
    assert "whole: 2 chains, 9 entries, 1 contents" in call(place, "verify").stdout
    shown = json.loads(call(place, "show", two[0].id).stdout)
    assert shown[1]["kept"] is None
    assert shown[2]["reason"] == "asked"
    assert "There is no content" in call(place, "erase", two[0].id, "--reason", "asked", code=2).stderr


def test_a_ledger_that_is_not_there_is_told(tmp_path, monkeypatch):
    missing = at_file(tmp_path / "none.db")
    assert "There is no ledger" in call(missing, "verify", code=2).stderr
    monkeypatch.setenv("LEDGER_ADDRESS", "postgresql://nobody:hunter22@127.0.0.1:1/none")
    done = CliRunner().invoke(app, ["tail", "--ledger", "LEDGER_ADDRESS"])
    assert done.exit_code == 2
    assert "hunter22" not in done.output
    monkeypatch.setenv("LEDGER_ADDRESS", "mysql://nobody@host/none")
    assert "postgresql://" in CliRunner().invoke(app, ["tail", "--ledger", "LEDGER_ADDRESS"]).stderr


def test_the_place_is_that_of_the_configuration(tmp_path, place, two):
    assert len(two) == 2
    config = tmp_path / "c.yaml"
    base = "upstreams: {one: {kind: scripted, script: a}}\nmodels: {asked: {upstream: one}}\n"
    config.write_text(f"{base}ledger: {{path: {place.file}}}\n")
    assert CliRunner().invoke(app, ["tail", "--config", str(config)]).stdout.count("\n") == 2
    config.write_text(f"{base}ledger: {{url_env: NO_SUCH_VARIABLE}}\n")
    assert "NO_SUCH_VARIABLE is not set" in CliRunner().invoke(app, ["tail", "--config", str(config)]).stderr
    config.write_text(f"{base}ledger: {{path: a, url_env: B}}\n")
    assert "either a path or a url_env" in CliRunner().invoke(app, ["tail", "--config", str(config)]).stderr
