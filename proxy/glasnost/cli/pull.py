"""`glasnost pull`: fetch a model's file into the cache and show how far it is."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn, TransferSpeedColumn
from rich.progress import Progress as Bars

from glasnost.errors import ModelFileError
from glasnost.models.cache import cache_folder
from glasnost.models.progress import Progress


def pull(
    name: Annotated[
        str,
        typer.Argument(
            help="A model of the catalogue, hf:owner/repo/file[@revision], https://...#sha256=..., or a path."
        ),
    ],
    *,
    verify: Annotated[bool, typer.Option("--verify", help="Hash a file that is already here again.")] = False,
) -> None:
    """Fetch a model's file into the cache, check its SHA-256 and print its path."""
    # Imported here: HTTP and hub clients take long to load, and the other commands do without them.
    from glasnost.models.pull import pull as pull_model  # noqa: PLC0415

    console = Console(stderr=True)
    try:
        with show_progress(console) as progress:
            path = pull_model(name, cache_folder(os.environ), progress, verify=verify)
    except ModelFileError as error:
        typer.echo(f"glasnost pull: {error}", err=True)
        raise typer.Exit(1) from error
    typer.echo(path)


def show_progress(console: Console) -> AbstractContextManager[Progress]:
    """Give a bar on a terminal, and anywhere else one line for a step and every quarter of it."""
    return _bar(console) if console.is_terminal else _lines(console)


@contextmanager
def _lines(console: Console) -> Iterator[Progress]:
    said = None

    def show(step: str, done: int = 0, total: int | None = None) -> None:
        nonlocal said
        quarter = 4 * done // total if total else 0
        if (step, quarter) != said:
            said = (step, quarter)
            part = f": {25 * quarter} % of {total / 1e6:.0f} MB" if total else ""
            console.print(f"{step}{part}", highlight=False, soft_wrap=True)

    yield show


@contextmanager
def _bar(console: Console) -> Iterator[Progress]:
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    with Bars(*columns, TransferSpeedColumn(), TimeRemainingColumn(), console=console, transient=True) as bars:
        task = bars.add_task("", total=None)
        said = ""

        def show(step: str, done: int = 0, total: int | None = None) -> None:
            nonlocal said
            if step != said:
                said = step
                bars.reset(task, description=step)
            bars.update(task, completed=done, total=total)

        yield show
