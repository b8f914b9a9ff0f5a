"""`glasnost ledger`: look into the record, prove that it is whole, take it elsewhere, erase from it."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from glasnost.cli import load
from glasnost.cli.environ import Environ
from glasnost.errors import ConfigError, LedgerError

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from glasnost.record.ledger.place import Place

app = typer.Typer(help="Look into the record of exchanges.", no_args_is_help=True, rich_markup_mode=None)

ConfigFile = Annotated[
    Path | None, typer.Option("--config", help="A YAML configuration; without it, the embedded one.")
]
Where = Annotated[
    str | None, typer.Option("--ledger", help="A SQLite file, or the variable with the address of a server.")
]
Since = Annotated[str, typer.Option(help="From this date or time on, as in 2026-01-31 or 2026-01-31T12:00:00Z.")]


@app.command()
def verify(
    config: ConfigFile = None,
    ledger: Where = None,
    checkpoint: Annotated[list[Path] | None, typer.Option(help="A file of signed checkpoints. Repeatable.")] = None,
    key: Annotated[Path | None, typer.Option(help="The public key of the checkpoints, or the private one.")] = None,
) -> None:
    """Check every hash of every chain; exits with 1 where something was changed, and names the place."""
    from glasnost.record.ledger.verify import Counts  # noqa: PLC0415 - the database's library loads slowly
    from glasnost.record.ledger.verify import verify as breaks  # noqa: PLC0415 - the same

    with reading(config, ledger) as connection:
        counts, found = Counts(), 0
        for found, each in enumerate(breaks(connection, counts, _claims(checkpoint or [], key)), start=1):  # noqa: B007
            typer.echo(printable(str(each)))
        sizes = f"{counts.chains} chains, {counts.entries} entries, {counts.contents} contents"
        if found:
            typer.echo(f"NOT as it was written: {found} breaks in {sizes}", err=True)
            raise typer.Exit(1)
        typer.echo(f"whole: {sizes}")
        if not checkpoint:
            typer.echo("without --checkpoint, a cut end or an older copy cannot be told", err=True)


@app.command()
def tail(
    config: ConfigFile = None,
    ledger: Where = None,
    count: Annotated[int, typer.Option("--count", "-n", min=1, max=100_000)] = 20,
) -> None:
    """Print the latest exchanges, a line each."""
    from glasnost.record.ledger import read, rows  # noqa: PLC0415 - the database's library loads slowly

    with reading(config, ledger) as connection:
        for found in read.last_ends(connection, count):
            row = rows.flat(found)
            words = (row["at"], row["id"], row["model"], row["label"] or "-", row["action"], row["served_by"] or "-")
            typer.echo(printable("  ".join(words)))


@app.command()
def show(
    exchange: Annotated[str, typer.Argument(help="The id of an exchange, as in the header x-glasnost-id.")],
    config: ConfigFile = None,
    ledger: Where = None,
) -> None:
    """Print everything about one exchange, as JSON."""
    from glasnost.record.ledger import read, rows  # noqa: PLC0415 - the database's library loads slowly

    with reading(config, ledger) as connection:
        found = read.exchange(connection, exchange)
        if not found:
            raise LedgerError(f"There is no exchange {exchange!r} in the ledger.")
        typer.echo(json.dumps([rows.whole(each) for each in found], indent=2))


@app.command()
def stats(config: ConfigFile = None, ledger: Where = None, since: Since = "1970-01-01") -> None:
    """Print how much the ledger holds and what the answers were, as JSON."""
    from glasnost.record.ledger.stats import stats as count  # noqa: PLC0415 - the database's library loads slowly

    with reading(config, ledger) as connection:
        typer.echo(json.dumps(count(connection, _moment(since)), indent=2))


@app.command()
def export(
    config: ConfigFile = None,
    ledger: Where = None,
    since: Since = "1970-01-01",
    form: Annotated[str, typer.Option("--format", help="jsonl, csv or parquet.")] = "jsonl",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="A file; without it, the standard output.")
    ] = None,
) -> None:
    """Write the exchanges that ended from a time on."""
    from glasnost.record.ledger import export as forms  # noqa: PLC0415 - the database's library loads slowly
    from glasnost.record.ledger import read  # noqa: PLC0415 - the same

    if form not in forms.FORMATS:
        raise typer.BadParameter(f"--format is one of {', '.join(forms.FORMATS)}, not {form!r}")
    if form == "parquet" and output is None:
        raise typer.BadParameter("parquet needs --output")
    with reading(config, ledger) as connection:
        found = read.ends(connection, _moment(since))
        if form == "parquet" and output is not None:
            count = forms.write_parquet(found, output)
        elif output is not None:
            with output.open("w", encoding="utf-8", newline="") as file:
                count = forms.WRITERS[form](found, file)
        else:
            count = forms.WRITERS[form](found, sys.stdout)
    typer.echo(f"{count} exchanges", err=True)


@app.command()
def erase(
    exchange: Annotated[str, typer.Argument(help="The id of an exchange.")],
    reason: Annotated[str, typer.Option(help="Why, for the record.")],
    config: ConfigFile = None,
    ledger: Where = None,
) -> None:
    """Erase what was said in one exchange; the chain stays whole, and holds that and why it was done."""
    from glasnost.record.ledger.erase import erase as erase_content  # noqa: PLC0415 - as above

    with _told():
        count = erase_content(_place(config, ledger), exchange, reason, time.time_ns() // 1_000)
    typer.echo(f"erased {count} contents of {exchange}")


@app.command()
def keygen(file: Annotated[Path, typer.Argument(help="Where the private key goes; it must not exist.")]) -> None:
    """Make a key for signed checkpoints, and print the public one, which is to be kept elsewhere."""
    from glasnost.record.ledger.checkpoint import make_key  # noqa: PLC0415 - cryptography loads slowly

    with _told():
        typer.echo(make_key(file), nl=False)


def _claims(files: list[Path], key: Path | None) -> Iterator[Any]:
    from glasnost.record.ledger import checkpoint  # noqa: PLC0415 - cryptography loads slowly

    if files and key is None:
        raise typer.BadParameter("--checkpoint needs --key: a signature says nothing without it")
    for path in files:
        assert key is not None  # noqa: S101 - seen to above
        with path.open("rb") as lines:
            yield from checkpoint.claims(lines, checkpoint.public_key(key), str(path))


def _place(config: Path | None, ledger: str | None) -> Place:
    from glasnost.record.ledger import place  # noqa: PLC0415 - the database's library loads slowly

    environ = Environ(os.environ)
    if ledger is None:
        return place.place_of(load.load_config(config, host=None, port=None).ledger, environ)
    if ledger in environ:
        return place.at_server(environ[ledger])
    return place.at_file(Path(ledger))


@contextmanager
def reading(config: Path | None, ledger: str | None) -> Iterator[Connection]:
    """Open the ledger that was named; what goes wrong is told, and the command ends."""
    with _told(), _place(config, ledger).reader().connect() as connection:
        yield connection


@contextmanager
def _told() -> Iterator[None]:
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415 - loads slowly

    try:
        yield
    except (ConfigError, LedgerError, OSError) as error:
        typer.echo(f"glasnost ledger: {error}", err=True)
        raise typer.Exit(2) from None
    except SQLAlchemyError as error:
        typer.echo(f"glasnost ledger: {getattr(error, 'orig', None) or error}", err=True)
        raise typer.Exit(2) from None


def _moment(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"--since is a date or a time as in 2026-01-31T12:00:00Z, not {text!r}") from None
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1_000_000)


def printable(text: str) -> str:
    """Give a text that cannot move the cursor or turn the direction of writing."""
    return "".join(char if char.isascii() and char.isprintable() else json.dumps(char)[1:-1] for char in text)
