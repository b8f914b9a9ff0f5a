"""The gateway in this process: from what was read to a server that runs until it is told to stop."""

from __future__ import annotations

import gc
import os
import signal
import socket
import sys
from typing import TYPE_CHECKING

import typer

from glasnost.cli import logs
from glasnost.cli.environ import Environ
from glasnost.cli.reading import Place, Reading, read_all
from glasnost.errors import DocumentError
from glasnost.record.redactor import Redactor
from glasnost.record.secrets import secrets_of

if TYPE_CHECKING:
    from glasnost.record.sharing import Crew


def read_or_exit(place: Place, log_level: str) -> tuple[Reading, Redactor]:
    """Set logs up and read everything; a mistake is told and ends the process with 2."""
    redactor, environ = Redactor(), Environ(os.environ)
    logs.set_up(log_level, redactor)
    try:
        reading = read_all(place, environ)
    except DocumentError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    redactor.learn(secrets_of(reading.config, environ))
    return reading, redactor


def run_gateway(
    place: Place,
    reading: Reading,
    redactor: Redactor,
    *,
    crew: Crew | None = None,
    listener: socket.socket | None = None,
) -> None:
    """Serve until told to stop; with a `crew`, as one of its workers, on the socket that all share."""
    # Importing the gateway takes longer than checking a configuration, so a mistake is told first.
    from glasnost.cli.reload import Reloader  # noqa: PLC0415 - see above
    from glasnost.server.drain import Drain  # noqa: PLC0415 - see above
    from glasnost.server.serving import Gateway  # noqa: PLC0415 - see above
    from glasnost.services import build_service  # noqa: PLC0415 - see above

    drain, environ = Drain(), Environ(os.environ)
    try:
        service = build_service(
            reading.config,
            reading.policies,
            reading.files,
            reading.scripts,
            environ,
            drain=drain,
            head=reading.head,
            redactor=redactor,
            crew=crew,
        )
    except (DocumentError, OSError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    reloader = Reloader(service, place, environ, redactor)

    async def beside() -> None:
        if crew is not None:
            crew.started()
        await reloader.run()

    # uvicorn raises the signal again when it has stopped: a stop that was asked for is no failure.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    gc.freeze()  # what is loaded now lives as long as the process: the collector need not visit it again
    Gateway(service, reading.config.server, drain, beside).run([listener] if listener else None)
