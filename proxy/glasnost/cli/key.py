"""`glasnost key`: a new API key, and the hash that goes into the configuration."""

from __future__ import annotations

import hashlib
import secrets

import typer


def key() -> None:
    """Make an API key: give the key to a client, and put its hash into `server.keys`."""
    fresh = f"glasnost-{secrets.token_urlsafe(32)}"
    typer.echo(f"key:  {fresh}")
    typer.echo(f"hash: sha256:{hashlib.sha256(fresh.encode()).hexdigest()}")
