"""The secrets that a configuration names: what must never be shown or kept."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import unquote, urlsplit

from glasnost.config import Config

# The OpenTelemetry SDK reads these itself; a collector's token stands in them.
_OTLP_HEADERS = ("OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_TRACES_HEADERS")
_OTLP_ADDRESSES = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")


def secrets_of(config: Config, environ: Mapping[str, str]) -> list[str]:
    """Give the values of every environment variable that holds a key, a pepper or an address, and their passwords."""
    upstreams = [getattr(each, "api_key_env", None) for each in config.upstreams.values()]
    named = [*upstreams, config.server.pepper_env, config.ledger.url_env, config.limits.redis_url_env]
    found = [environ[name] for name in named if name and environ.get(name)]
    addresses = [*found, *(getattr(each, "base_url", None) or "" for each in config.upstreams.values())]
    addresses += [environ[name] for name in _OTLP_ADDRESSES if environ.get(name)]
    passwords = [password for each in addresses if (password := _password(each))]
    return [*found, *passwords, *(value for name in _OTLP_HEADERS for value in _values(environ.get(name, "")))]


def _values(headers: str) -> list[str]:
    """Give the values of `name=value,name=value`, as they stand and as they are sent; of a scheme, what follows it."""
    values = [pair.partition("=")[2].strip() for pair in headers.split(",")]
    sent = [unquote(value) for value in values]
    return [each for each in (*values, *sent, *(value.rpartition(" ")[2] for value in sent)) if each]


def _password(address: str) -> str | None:
    try:
        return urlsplit(address).password
    except ValueError:  # a key need not be an address
        return None
