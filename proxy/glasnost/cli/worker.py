"""One worker process of several, as `glasnost serve` starts it."""

from __future__ import annotations

import signal
import socket
import sys
from pathlib import Path
from typing import Annotated

import typer

from glasnost.cli.gateway import read_or_exit, run_gateway
from glasnost.cli.reading import Place


def worker(  # noqa: PLR0913, PLR0917 - what the watch hands over
    fd: int,
    number: int,
    folder: Path,
    parent: int,
    config: Annotated[Path | None, typer.Option()] = None,
    host: Annotated[str | None, typer.Option()] = None,
    port: Annotated[int | None, typer.Option()] = None,
    workers: Annotated[int | None, typer.Option()] = None,
    log_level: Annotated[str, typer.Option()] = "info",
) -> None:
    """Serve on a socket that is open already, beside other workers."""
    from glasnost.engine.parent import end_with  # noqa: PLC0415 - no other command needs it
    from glasnost.record.sharing import Crew  # noqa: PLC0415 - the same

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # a stop that comes before the gateway heeds it is no failure
    end_with(parent)
    place = Place(config, host, port, workers)
    reading, redactor = read_or_exit(place, log_level)
    run_gateway(place, reading, redactor, crew=Crew(folder, number), listener=socket.socket(fileno=fd))
