"""The composition root: from a configuration to upstreams, pipeline, metrics and the application."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from prometheus_client import (
    GC_COLLECTOR,
    PLATFORM_COLLECTOR,
    PROCESS_COLLECTOR,
    CollectorRegistry,
    disable_created_metrics,
)
from starlette.types import ASGIApp

from glasnost import __version__
from glasnost.config import Config, HttpUpstream, LitellmUpstream, UpstreamSettings, targets_of
from glasnost.errors import ConfigError, Problem
from glasnost.pipeline.pipeline import Pipeline
from glasnost.policy.policy import Policy
from glasnost.record.engine_metrics import EngineCollector
from glasnost.record.exchange_metrics import ExchangeMetrics
from glasnost.record.failover_metrics import FailoverCollector
from glasnost.record.metrics import Metrics
from glasnost.server.app import create_app
from glasnost.upstream.base import Upstream
from glasnost.upstream.housing import house
from glasnost.upstream.http import HttpServer
from glasnost.upstream.litellm import LitellmProvider
from glasnost.upstream.registry import Registry
from glasnost.upstream.script import Script
from glasnost.upstream.scripted import ScriptPlayer


def build_app(
    config: Config, policy: Policy, files: Mapping[str, Path], scripts: Mapping[str, Script], environ: Mapping[str, str]
) -> ASGIApp:
    """Build the gateway.

    `files` gives the GGUF of every local upstream, `scripts` the parsed script of every scripted one, both by the
    upstream's name; `environ` holds the keys of upstreams under the variables that the configuration names.
    Raises ConfigError when the engines that are always loaded have no room on this machine, and when a setting names a
    topic that no pack has.
    """
    _check_topics(config, policy)
    engines = house(config, files)
    upstreams = {
        name: engines.get(name) or _upstream(name, settings, scripts, environ)
        for name, settings in config.upstreams.items()
    }
    metrics = Metrics(_registry(), __version__)
    recorder = ExchangeMetrics(metrics, _targets(config), [topic.id for topic in policy.topics], upstreams)
    EngineCollector(metrics, engines)
    pipeline = Pipeline(config, upstreams, policy, recorder)
    FailoverCollector(metrics, pipeline.failover)
    return create_app(config, pipeline, Registry(upstreams), metrics)


def _check_topics(config: Config, policy: Policy) -> None:
    known = {topic.id for topic in policy.topics}
    unknown = [
        Problem(
            f"stream.topics.{name}", f"no pack of audit.packs has this topic; there are: {', '.join(sorted(known))}"
        )
        for name in config.stream.topics
        if not any(topic == name or topic.startswith(f"{name}.") for topic in known)
    ]
    if unknown:
        raise ConfigError("configuration", unknown)


def _registry() -> CollectorRegistry:
    disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series beside every one, which nobody needs
    registry = CollectorRegistry()
    for collector in (PROCESS_COLLECTOR, PLATFORM_COLLECTOR, GC_COLLECTOR):
        registry.register(collector)
    return registry


def _targets(config: Config) -> dict[str, list[str]]:
    """Give, for every model, the models that its ladder can reroute to, itself included for its own rungs."""
    return {
        name: list(dict.fromkeys(target for rung in model.ladder for target in targets_of(rung, name)))
        for name, model in config.models.items()
    }


def _upstream(
    name: str,
    settings: UpstreamSettings,
    scripts: Mapping[str, Script],
    environ: Mapping[str, str],
) -> Upstream:
    if isinstance(settings, HttpUpstream):
        return HttpServer(name, settings, _key(settings.api_key_env, environ))
    if isinstance(settings, LitellmUpstream):
        return LitellmProvider(name, settings, _key(settings.api_key_env, environ))
    return ScriptPlayer(name, scripts[name], settings.timeouts)


def _key(variable: str | None, environ: Mapping[str, str]) -> str | None:
    return environ[variable] if variable else None
