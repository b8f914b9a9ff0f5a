"""`glasnost ladder`: what the rungs of ladders have brought so far, in the order in which they would be tried."""

from __future__ import annotations

import typer

from glasnost.cli.ledger import ConfigFile, Where, printable, reading

_HEAD = ("model", "topic", "language", "rung", "by", "tried", "passed", "median s", "s an answer")


def ladder(config: ConfigFile = None, ledger: Where = None) -> None:
    """Print, by model, topic and language, how often each rung passed and what it cost, from the ledger."""
    from glasnost.pipeline.learned import Learned  # noqa: PLC0415 - the pipeline loads slowly
    from glasnost.record.ledger.recall import recall  # noqa: PLC0415 - the database's library loads slowly

    learned = Learned(0.0, lambda: 0.0)
    with reading(config, ledger) as connection:
        learned.learn(recall(connection))
    rows = [
        (
            place.model,
            place.topic or "-",
            place.language or "-",
            *rung,
            str(tally.tries),
            f"{tally.passed / tally.tries:.0%}",
            f"{tally.cost(0.0):.2f}",
            f"{price:.2f}",
        )
        for place, rung, tally, price in learned.table()
    ]
    if not rows:
        typer.echo("no rung has been tried yet")
        return
    widths = [max(len(row[column]) for row in (_HEAD, *rows)) for column in range(len(_HEAD))]
    for row in (_HEAD, *rows):
        typer.echo(printable("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()))
