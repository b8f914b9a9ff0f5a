"""All commands by name."""

from __future__ import annotations

import typer

from glasnost import __version__
from glasnost.cli.audit import audit
from glasnost.cli.config import app as config
from glasnost.cli.engine import engine
from glasnost.cli.key import app as key
from glasnost.cli.ladder import ladder
from glasnost.cli.ledger import app as ledger
from glasnost.cli.policy import app as policy
from glasnost.cli.pull import pull
from glasnost.cli.serve import serve
from glasnost.cli.worker import worker

app = typer.Typer(
    name="glasnost",
    help="An OpenAI-compatible proxy that audits every answer and reroutes censored ones.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command()(serve)
app.command(hidden=True)(worker)
app.command()(engine)
app.command()(pull)
app.command()(audit)
app.command()(ladder)
app.add_typer(config, name="config")
app.add_typer(key, name="key")
app.add_typer(ledger, name="ledger")
app.add_typer(policy, name="policy")


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(__version__)
