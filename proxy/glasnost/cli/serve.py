"""`glasnost serve`: the gateway, in this process or in several that it watches over."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from glasnost.cli.gateway import read_or_exit, run_gateway
from glasnost.cli.reading import Place
from glasnost.config import ServerSettings


def serve(
    config: Annotated[Path | None, typer.Option(help="A YAML configuration; without it, the embedded one.")] = None,
    host: Annotated[str | None, typer.Option(help="Listen here instead of where the configuration says.")] = None,
    port: Annotated[int | None, typer.Option(help="Listen on this port; 0 takes a free one.")] = None,
    workers: Annotated[int | None, typer.Option(help="Serve with this many processes.")] = None,
    log_level: Annotated[str, typer.Option(help="debug, info, warning or error.")] = "info",
) -> None:
    """Serve the OpenAI API, audit every answer, and reroute censored ones."""
    place = Place(config, host, port, workers)
    reading, redactor = read_or_exit(place, log_level)
    if reading.config.server.workers > 1:
        raise typer.Exit(_watch(place, reading.config.server, log_level))
    run_gateway(place, reading, redactor)


def _watch(place: Place, settings: ServerSettings, log_level: str) -> int:
    """Run as many workers as the settings ask for; give the exit code."""
    from glasnost.server.serving import listener_of  # noqa: PLC0415 - a mistake in the configuration is told first
    from glasnost.server.workers import Workers  # noqa: PLC0415 - the same
    from glasnost.upstream.folder import Folder  # noqa: PLC0415 - the same

    listener = listener_of(settings)
    folder = Folder()

    def command(number: int) -> list[str]:
        fixed = [str(listener.fileno()), str(number), str(folder.path), str(os.getpid())]
        return [sys.executable, "-m", "glasnost", "worker", *fixed, *place.arguments(), "--log-level", log_level]

    try:
        return Workers(command, settings.workers, folder.path, listener).run()
    finally:
        folder.remove()
        listener.close()
