"""`glasnost serve`: the gateway."""

from __future__ import annotations

import gc
import os
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from glasnost.cli import logs
from glasnost.cli.reading import Place, read_all
from glasnost.errors import DocumentError
from glasnost.record.redactor import Redactor
from glasnost.record.secrets import secrets_of


def serve(
    config: Annotated[Path | None, typer.Option(help="A YAML configuration; without it, the embedded one.")] = None,
    host: Annotated[str | None, typer.Option(help="Listen here instead of where the configuration says.")] = None,
    port: Annotated[int | None, typer.Option(help="Listen on this port; 0 takes a free one.")] = None,
    log_level: Annotated[str, typer.Option(help="debug, info, warning or error.")] = "info",
) -> None:
    """Serve the OpenAI API, audit every answer, and reroute censored ones."""
    # Importing the gateway takes longer than checking a configuration, so a mistake is told first.
    redactor = Redactor()
    logs.set_up(log_level, redactor)
    place = Place(config, host, port)
    try:
        reading = read_all(place, os.environ)
    except DocumentError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    redactor.learn(secrets_of(reading.config, os.environ))
    from glasnost.cli.reload import Reloader  # noqa: PLC0415 - see above
    from glasnost.server.drain import Drain  # noqa: PLC0415 - see above
    from glasnost.server.serving import Gateway  # noqa: PLC0415 - see above
    from glasnost.services import build_service  # noqa: PLC0415 - see above

    drain = Drain()
    try:
        service = build_service(
            reading.config,
            reading.policies,
            reading.files,
            reading.scripts,
            os.environ,
            drain=drain,
            head=reading.head,
            redactor=redactor,
        )
    except (DocumentError, OSError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    # uvicorn raises the signal again when it has stopped: a stop that was asked for is no failure.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    gc.freeze()  # what is loaded now lives as long as the process: the collector need not visit it again
    Gateway(service, reading.config.server, drain, Reloader(service, place, os.environ, redactor).run).run()
