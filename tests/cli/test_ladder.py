"""`glasnost ladder` over a ledger that a gateway has written."""

import sqlite3

from typer.testing import CliRunner

from gateway import CONFIG, REFUSAL, SENSITIVE, body, gateway, rule, script
from glasnost.cli.main import app


def test_the_table_shows_what_the_rungs_of_recorded_exchanges_brought(tmp_path):
    file = tmp_path / "ledger.db"
    # The rung that never passes is also the slow one, whatever the machine is doing.
    slow = script(rule(REFUSAL, when={"system": "encyclopaedia"}, first_delay=1.0), rule(REFUSAL))
    config = f"{CONFIG}\nledger: {{path: {file}}}\nreroute: {{order: learned, explore: 0}}\n"
    for expected in (["first", "reframe", "model"], ["first", "model"]):
        # The second gateway knows from the ledger what the first one has learned.
        with gateway(config, gagged=slow) as each:
            asked = [each.post(body(SENSITIVE)).json()["glasnost"] for _ in range(4)]
            assert [attempt["rung"] for attempt in asked[0]["attempts"]] == expected
    shown = CliRunner().invoke(app, ["ladder", "--ledger", str(file)])
    assert shown.exit_code == 0
    head, first, second = (line.split() for line in shown.output.splitlines())
    assert head[:4] == ["model", "topic", "language", "rung"]
    assert (first[:5], second[:5]) == (
        ["asked", "prc.tiananmen-1989", "en", "model", "alternative"],
        ["asked", "prc.tiananmen-1989", "en", "reframe", "asked"],
    )
    assert (first[6], second[6]) == ("100%", "0%")


def test_an_empty_ledger_says_so(tmp_path):
    file = tmp_path / "ledger.db"
    with gateway(f"{CONFIG}\nledger: {{path: {file}}}\n"):
        pass
    assert sqlite3.connect(file).execute("select count(*) from entries where kind = 'closed'").fetchone() == (0,)
    assert "no rung has been tried yet" in CliRunner().invoke(app, ["ladder", "--ledger", str(file)]).output
