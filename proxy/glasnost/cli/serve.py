"""`glasnost serve`: the gateway."""

from __future__ import annotations

import gc
import os
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from glasnost.cli import load, logs, opinions
from glasnost.cli.keys import with_keys
from glasnost.errors import DocumentError
from glasnost.models.cache import cache_folder


def serve(
    config: Annotated[Path | None, typer.Option(help="A YAML configuration; without it, the embedded one.")] = None,
    host: Annotated[str | None, typer.Option(help="Listen here instead of where the configuration says.")] = None,
    port: Annotated[int | None, typer.Option(help="Listen on this port; 0 takes a free one.")] = None,
    log_level: Annotated[str, typer.Option(help="debug, info, warning or error.")] = "info",
) -> None:
    """Serve the OpenAI API, audit every answer, and reroute censored ones."""
    # Importing the gateway takes longer than checking a configuration, so a mistake is told first.
    logs.set_up(log_level)
    source = str(config) if config else "the default configuration"
    try:
        settings = load.load_config(config, host=host, port=port)
        folder = config.parent if config else Path()
        settings = with_keys(settings, source, folder, os.environ)
        load.check_keys(settings, source, os.environ)
        policies = load.load_policies(settings)
        scripts = load.load_scripts(settings, folder)
        files = load.find_files(settings, source, cache_folder(os.environ))
        opinions.check_opinions(settings, source, files)
        head = opinions.load_head(settings, source, folder, files)
    except DocumentError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    from glasnost.server.drain import Drain  # noqa: PLC0415 - see above
    from glasnost.server.serving import Gateway  # noqa: PLC0415 - see above
    from glasnost.services import build_app  # noqa: PLC0415 - see above

    drain = Drain()
    try:
        app = build_app(settings, policies, files, scripts, os.environ, drain=drain, head=head)
    except (DocumentError, OSError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    # uvicorn raises the signal again when it has stopped: a stop that was asked for is no failure.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    gc.freeze()  # what is loaded now lives as long as the process: the collector need not visit it again
    Gateway(app, settings.server, drain).run()
