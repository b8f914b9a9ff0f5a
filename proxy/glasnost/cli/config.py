"""`glasnost config`: check a configuration as `serve` would, and print its JSON Schema."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated

import typer

from glasnost.cli.environ import Environ
from glasnost.cli.reading import Place, read_all
from glasnost.config import json_schema
from glasnost.errors import DocumentError

app = typer.Typer(help="Check a configuration, print its schema.", no_args_is_help=True, rich_markup_mode=None)


@app.command()
def check(file: Annotated[Path, typer.Argument(help="A YAML configuration.")]) -> None:
    """Read a configuration with everything that it names, and tell all that is wrong."""
    try:
        reading = read_all(Place(file), Environ(os.environ))
    except DocumentError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    config = reading.config
    topics = {topic.id for policy in reading.policies.values() for topic in policy.topics}
    counts = (f"{len(config.models)} models", f"{len(config.upstreams)} upstreams", f"{len(topics)} topics")
    typer.echo(f"{file}: {', '.join(counts)}, {len(config.server.keys)} keys")


@app.command()
def schema() -> None:
    """Print the JSON Schema of the configuration, for editors."""
    typer.echo(json.dumps(json_schema(), indent=2))
