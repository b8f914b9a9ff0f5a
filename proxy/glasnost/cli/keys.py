"""From the keys in the configuration and in the file beside it to the keys of a server."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from pydantic import ValidationError

from glasnost import document
from glasnost.config import Config, KeySettings, KeysFile, problems_of, worker_problems
from glasnost.errors import ConfigError, Problem


def with_keys(config: Config, source: str, folder: Path, environ: Mapping[str, str]) -> Config:
    """Add the keys of `server.keys_file` to the configuration; raises ConfigError with all that is wrong with them."""
    server = config.server
    path = folder / server.keys_file if server.keys_file else None
    keys = (*server.keys, *(read_keys(path).keys if path else ()))
    whole = config.model_copy(update={"server": server.model_copy(update={"keys": keys})})
    found = [*_problems(config, keys, environ), *worker_problems(whole.server, whole.limits, whole.upstreams)]
    problems = [Problem(place, words) for place, words in found]
    if problems:
        raise ConfigError(source, problems)
    return whole


def read_keys(path: Path) -> KeysFile:
    """Read a file of keys; raises ConfigError."""
    try:
        parsed = document.parse(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(str(path), [Problem("", f"cannot be read: {error}")]) from None
    if parsed.problems:
        raise ConfigError(str(path), list(parsed.problems))
    try:
        return KeysFile.model_validate(parsed.value or {})
    except ValidationError as error:
        raise ConfigError(str(path), problems_of(error, parsed)) from None


def _problems(config: Config, keys: tuple[KeySettings, ...], environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    pepper = config.server.pepper_env
    if pepper and not environ.get(pepper):
        yield "server.pepper_env", f"the environment variable {pepper} is not set"
    redis = config.limits.redis_url_env
    if redis and not environ.get(redis):
        yield "limits.redis_url_env", f"the environment variable {redis} is not set"
    wanted = "hmac-sha256" if pepper else "sha256"
    for key in keys:
        if key.hash.partition(":")[0] != wanted:
            with_or_without = f"with {pepper}" if pepper else "without one"
            yield f"server.keys: {key.id}", f"was not made {with_or_without} as its pepper: make it again"
        for model in key.models or ():
            if model not in config.models:
                known = ", ".join(config.models)
                yield f"server.keys: {key.id}.models", f"there is no model {model!r}; there are: {known}"
    for name, count in Counter(key.id for key in keys).items():
        if count > 1:
            yield "server.keys", f"{count} keys are named {name!r}: limits and records tell keys apart by name"
