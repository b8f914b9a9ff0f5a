"""The secrets that a configuration names: what must never be shown or kept."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from glasnost.config import Config


def secrets_of(config: Config, environ: Mapping[str, str]) -> list[str]:
    """Give the values of every environment variable that holds a key, a pepper or an address, and their passwords."""
    upstreams = [getattr(each, "api_key_env", None) for each in config.upstreams.values()]
    named = [*upstreams, config.server.pepper_env, config.ledger.url_env, config.limits.redis_url_env]
    found = [environ[name] for name in named if name and environ.get(name)]
    addresses = [*found, *(getattr(each, "base_url", None) or "" for each in config.upstreams.values())]
    return [*found, *(password for each in addresses if (password := _password(each)))]


def _password(address: str) -> str | None:
    try:
        return urlsplit(address).password
    except ValueError:  # a key need not be an address
        return None
