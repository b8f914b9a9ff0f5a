"""`glasnost key`: make, list and revoke API keys; a key is shown once, and only its hash is kept."""

from __future__ import annotations

import os
import secrets
import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml
from pydantic import ValidationError

from glasnost.cli.environ import Environ
from glasnost.cli.keys import read_keys
from glasnost.config import KeySettings, KeysFile
from glasnost.errors import ConfigError

app = typer.Typer(help="Make, list and revoke API keys.", no_args_is_help=True, rich_markup_mode=None)

_HEAD = "# API keys, written by `glasnost key`; name this file in server.keys_file.\n"
File = Annotated[Path, typer.Option("--file", help="The file of keys (server.keys_file).")]


@app.command()
def create(  # noqa: PLR0913 - one argument an option
    name: Annotated[str | None, typer.Argument(help="What the key is called in records and limits.")] = None,
    *,
    file: Annotated[Path | None, typer.Option(help="Add it to this file of keys (server.keys_file).")] = None,
    scope: Annotated[list[str] | None, typer.Option(help="chat, audit:read or admin; repeatable.")] = None,
    model: Annotated[list[str] | None, typer.Option(help="A model that it may ask; default: all.")] = None,
    requests_per_minute: Annotated[int | None, typer.Option(help="A limit of the key.")] = None,
    tokens_per_minute: Annotated[int | None, typer.Option(help="A limit of the key.")] = None,
    tokens_per_day: Annotated[int | None, typer.Option(help="A limit of the key.")] = None,
    rerouted_tokens_per_day: Annotated[int | None, typer.Option(help="A limit of the key.")] = None,
    pepper_env: Annotated[str | None, typer.Option(help="The variable with the server's pepper.")] = None,
) -> None:
    """Make an API key and print it, the only time that it can be seen."""
    limits = {
        "requests_per_minute": requests_per_minute,
        "tokens_per_minute": tokens_per_minute,
        "tokens_per_day": tokens_per_day,
        "rerouted_tokens_per_day": rerouted_tokens_per_day,
    }
    fresh = f"glasnost-{secrets.token_urlsafe(32)}"
    key = _checked(
        {
            "hash": _hash(fresh, pepper_env),
            "name": name,
            "scopes": tuple(scope or ("chat",)),
            "models": tuple(model) if model else None,
            "limits": {limit: value for limit, value in limits.items() if value is not None},
        }
    )
    if file is not None:
        kept = _read(file) if file.exists() else KeysFile()
        if any(other.id == key.id for other in kept.keys):
            _fail(f"{file} has a key named {key.id!r} already: revoke it, or take another name")
        _write(file, (*kept.keys, key))
    typer.echo(f"key:  {fresh}")
    typer.echo(f"hash: {key.hash}")


@app.command("list")
def list_(file: File) -> None:
    """Show the keys of a file, without what would let anybody use them."""
    for key in _read(file).keys:
        limits = [f"{name}={value}" for name, value in key.limits.model_dump().items() if value is not None]
        models = ",".join(key.models) if key.models is not None else "all models"
        typer.echo("  ".join([f"{key.id:20}", f"{','.join(key.scopes):12}", models, *limits]).rstrip())


@app.command()
def revoke(name: Annotated[str, typer.Argument(help="The key's name.")], file: File) -> None:
    """Take a key out of a file; a running server drops it when it reloads."""
    kept = _read(file)
    left = tuple(key for key in kept.keys if key.id != name)
    if len(left) == len(kept.keys):
        _fail(f"{file} has no key named {name!r}; there are: {', '.join(key.id for key in kept.keys) or 'none'}")
    _write(file, left)


def _hash(key: str, pepper_env: str | None) -> str:
    # The server's part is imported here: it takes longer to load than the other commands take.
    from glasnost.server.keys import digest  # noqa: PLC0415

    pepper = Environ(os.environ).get(pepper_env) if pepper_env else None
    if pepper_env and not pepper:
        _fail(f"the environment variable {pepper_env} is not set")
    return f"{'hmac-' if pepper else ''}sha256:{digest(pepper)(key.encode()).hex()}"


def _checked(fields: dict[str, Any]) -> KeySettings:
    try:
        return KeySettings.model_validate(fields)
    except ValidationError as error:
        wrong = error.errors(include_url=False, include_input=False)[0]
        raise _fail(f"{'.'.join(map(str, wrong['loc']))}: {wrong['msg']}") from None


def _read(file: Path) -> KeysFile:
    try:
        return read_keys(file)
    except ConfigError as error:
        raise _fail(str(error)) from None


def _write(file: Path, keys: tuple[KeySettings, ...]) -> None:
    """Replace the file in one step, readable by its owner alone."""
    entries = [key.model_dump(mode="json", exclude_defaults=True) for key in keys]
    text = _HEAD + yaml.safe_dump({"keys": entries}, sort_keys=False)
    handle, path = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as temporary:
            temporary.write(text)
            temporary.flush()
            os.fsync(temporary.fileno())
        Path(path).replace(file)
    except OSError as error:
        Path(path).unlink(missing_ok=True)
        _fail(f"{file} cannot be written: {error}")


def _fail(message: str) -> typer.Exit:
    typer.echo(f"glasnost key: {message}", err=True)
    raise typer.Exit(1)
