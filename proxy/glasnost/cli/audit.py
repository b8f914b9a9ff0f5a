"""`glasnost audit`: judge an archive of answers, a row of JSON each."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import IO, Annotated

import typer
from rich.console import Console

from glasnost.cli.archive import Judged, Line, judge_lines, read_lines
from glasnost.cli.archive_ray import RayFailed, judge_pieces
from glasnost.cli.pull import show_progress
from glasnost.errors import DocumentError

_SHOWN = 20  # lines on bad rows; more are only counted


def audit(  # noqa: PLR0913 - an argument an option
    file: Annotated[
        Path,
        typer.Argument(help="JSON lines with `prompt` (or `messages`) and `response`; - reads standard input."),
    ],
    *,
    out: Annotated[Path | None, typer.Option(help="Write the verdicts here instead of standard output.")] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes; by default one for each core.")] = None,
    pack: Annotated[list[str] | None, typer.Option(help="A policy pack, by name or path; may be repeated.")] = None,
    on_topic: Annotated[
        bool, typer.Option("--on-topic", help="Take every row as touching a topic: measure the answer side alone.")
    ] = False,
    ray: Annotated[
        bool, typer.Option("--ray", help="Judge with Ray Data, on the cluster of RAY_ADDRESS or here; needs a file.")
    ] = False,
) -> None:
    """Judge every answer of a file and write one verdict a row, in order.

    Exits with 1 if any row could not be read, and with 2 if nothing could be done.
    """
    if out is not None and out.exists() and file.exists() and out.samefile(file):
        _fail(f"--out {out} is the file that is read; choose another")
    packs, processes = tuple(pack or ("prc",)), workers or _cores()
    try:
        with _source(file, shared=ray) as source, _sink(out) as sink:
            if ray:
                bad = _run(judge_pieces(file, packs, processes, on_topic=on_topic), sink)
            else:
                reader = _Counted(source)
                batches = judge_lines(reader.lines(), packs, processes, on_topic=on_topic)
                bad = _run(batches, sink, reader)
    except BrokenPipeError:
        # Who reads our output has seen enough; nothing may be written at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(1) from None
    except (OSError, DocumentError, RayFailed) as error:
        _fail(str(error))
    except BrokenProcessPool:
        _fail("a worker process was killed; it may have had too little memory. Try fewer --workers")
    if bad:
        raise typer.Exit(1)


def _run(batches: Iterable[list[Judged]], sink: IO[bytes], reader: _Counted | None = None) -> int:
    """Judge everything, tell how it went on standard error; give the number of bad rows."""
    console = Console(stderr=True)
    rows = censored = bad = 0
    with show_progress(console) as progress:
        for batch in batches:
            for judged in batch:
                if judged.row is None:
                    bad += 1
                    _report(judged.number, judged.problem, bad)
                else:
                    rows += 1
                    censored += judged.censored
                    sink.write(judged.row)
            progress("auditing", *((reader.bytes, reader.size) if reader else ()))
    sink.flush()
    skipped = f", {bad} bad rows skipped" if bad else ""
    console.print(f"{rows} rows audited, {censored} censored{skipped}", highlight=False, soft_wrap=True)
    return bad


class _Counted:
    """A file whose lines are read, how many bytes were, and how many there are if that is known."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.size = os.fstat(file.fileno()).st_size or None
        self.bytes = 0

    def lines(self) -> Iterator[Line]:
        for number, line in read_lines(self._file):
            self.bytes += len(line)
            yield number, line


def _report(number: int, problem: str, bad: int) -> None:
    if bad <= _SHOWN:
        typer.echo(f"line {number} is skipped: {problem}", err=True)
    elif bad == _SHOWN + 1:
        typer.echo("more bad rows are only counted", err=True)


def _source(file: Path, *, shared: bool) -> contextlib.AbstractContextManager[IO[bytes]]:
    if shared and not file.is_file():
        raise RayFailed(f"--ray reads a file that every worker can open, and {file} is none")
    return contextlib.nullcontext(sys.stdin.buffer) if str(file) == "-" else file.open("rb")


def _sink(out: Path | None) -> contextlib.AbstractContextManager[IO[bytes]]:
    return contextlib.nullcontext(sys.stdout.buffer) if out is None else out.open("wb")


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _fail(message: str) -> None:
    typer.echo(f"glasnost audit: {message}", err=True)
    raise typer.Exit(2)
