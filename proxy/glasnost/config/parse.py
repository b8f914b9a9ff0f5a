"""The whole configuration: text in, `Config` or every problem with its YAML path out."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Any

from pydantic import Field, TypeAdapter, ValidationError

from glasnost import document
from glasnost.config.audit import AuditSettings
from glasnost.config.failover import FailoverSettings
from glasnost.config.fields import Name, Settings
from glasnost.config.judged import opinion_problems
from glasnost.config.keys import LimitsSettings
from glasnost.config.ladder import ModelRung, ModelsRung, RawRung, RerouteSettings, Rung, models_of
from glasnost.config.ledger import LedgerSettings
from glasnost.config.model import ModelSettings
from glasnost.config.problems import problems_of
from glasnost.config.race import RaceSettings
from glasnost.config.server import ServerSettings
from glasnost.config.stream import StreamSettings
from glasnost.config.tracing import TracingSettings
from glasnost.config.upstreams import EnginesSettings, HttpUpstream, LocalUpstream, UpstreamSettings
from glasnost.config.workers import worker_problems
from glasnost.errors import ConfigError, Problem


class Config(Settings):
    """Everything that `glasnost serve` needs."""

    server: ServerSettings = ServerSettings()
    limits: LimitsSettings = LimitsSettings()
    audit: AuditSettings = AuditSettings()
    stream: StreamSettings = StreamSettings()
    reroute: RerouteSettings = RerouteSettings()
    failover: FailoverSettings = FailoverSettings()
    race: RaceSettings = RaceSettings()
    engines: EnginesSettings = EnginesSettings()
    ledger: LedgerSettings = LedgerSettings()
    tracing: TracingSettings = TracingSettings()
    upstreams: dict[Name, UpstreamSettings] = Field(min_length=1)
    models: dict[Name, ModelSettings] = Field(min_length=1)


_CONFIG = TypeAdapter(Config)


def parse_config(
    text: str, source: str, *, host: str | None = None, port: int | None = None, workers: int | None = None
) -> Config:
    """Read a configuration; the other arguments replace what it says. Raises ConfigError with every problem."""
    parsed = document.parse(text)
    if parsed.problems:
        raise ConfigError(source, list(parsed.problems))
    try:
        config = _CONFIG.validate_python(_with_server(parsed.value, host=host, port=port, workers=workers))
    except ValidationError as error:
        raise ConfigError(source, problems_of(error, parsed)) from None
    problems = [Problem(path, message, parsed.line(path)) for path, message in _cross_check(config)]
    if problems:
        raise ConfigError(source, problems)
    return config


def json_schema() -> dict[str, Any]:
    """Give the JSON Schema (draft 2020-12) of a configuration."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **_CONFIG.json_schema()}


def is_loopback(host: str) -> bool:
    """Say whether a server on `host` can be reached from this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _with_server(value: Any, **settings: Any) -> Any:
    given = {name: setting for name, setting in settings.items() if setting is not None}
    if not given or not isinstance(value, dict) or not isinstance(value.get("server", {}), dict):
        return value
    return {**value, "server": {**value.get("server", {}), **given}}


def _cross_check(config: Config) -> Iterator[tuple[str, str]]:
    for name, model in config.models.items():
        for place, each in _places(model):
            if each not in config.upstreams:
                known = ", ".join(config.upstreams)
                yield f"models.{name}.{place}", f"there is no upstream {each!r}; there are: {known}"
        for index, rung in enumerate(model.ladder):
            yield from _check_rung(config, name, rung, f"models.{name}.ladder[{index}]")
    yield from opinion_problems(config.audit, config.models, config.upstreams)
    yield from worker_problems(config.server, config.limits, config.upstreams)
    server = config.server
    if not is_loopback(server.host) and not server.keys and not server.keys_file and not server.insecure_no_auth:
        exposed = f"{server.host} can be reached from other machines, and no key is set"
        yield (
            "server.host",
            f"{exposed}: add one to server.keys (`glasnost key create`), or listen on 127.0.0.1",
        )


def _places(model: ModelSettings) -> Iterator[tuple[str, str]]:
    if model.upstream is not None:
        yield "upstream", model.upstream
    yield from ((f"upstreams[{index}]", each) for index, each in enumerate(model.upstreams))


def _check_rung(config: Config, name: str, rung: Rung, path: str) -> Iterator[tuple[str, str]]:
    for setting, needed in models_of(rung).items():
        if needed == name and isinstance(rung, ModelRung | ModelsRung):
            yield f"{path}.{setting}", "a model cannot be its own alternative"
        elif needed not in config.models:
            yield f"{path}.{setting}", f"there is no model {needed!r}; there are: {', '.join(config.models)}"
    for each in config.models[name].serving if isinstance(rung, RawRung) else ():
        served = config.upstreams.get(each)
        if not isinstance(served, LocalUpstream | HttpUpstream | None):
            why = f"needs upstreams with /v1/completions, local or http; {each!r} is {served.kind}"
            yield f"{path}.rung", why
