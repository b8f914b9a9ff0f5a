"""The composition root: from a configuration to upstreams, pipeline, metrics and the application."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import structlog
from sqlalchemy.exc import SQLAlchemyError
from starlette.types import Receive, Scope, Send

from glasnost import __version__
from glasnost.audit.head import Head
from glasnost.config import Config, HttpUpstream, LitellmUpstream, UpstreamSettings, fixed_changes, targets_of
from glasnost.engine.devices import gpus
from glasnost.errors import ConfigError, LedgerError, Problem
from glasnost.pipeline.learned import Learned
from glasnost.pipeline.opinions.build import build_opinions
from glasnost.pipeline.pipeline import Pipeline
from glasnost.policy.policy import Policy
from glasnost.record.engine_metrics import EngineCollector
from glasnost.record.exchange_metrics import ExchangeMetrics
from glasnost.record.failover_metrics import FailoverMetrics
from glasnost.record.gpu_metrics import watch_gpus
from glasnost.record.identities import Identities
from glasnost.record.ledger.build import build_ledger
from glasnost.record.ledger.ledger import Ledger
from glasnost.record.ledger.place import place_of
from glasnost.record.ledger.recall import recall
from glasnost.record.ledger_metrics import LedgerMetrics
from glasnost.record.metrics import Metrics
from glasnost.record.processes import new_registry
from glasnost.record.quotas import Quotas
from glasnost.record.recorders import Recorders
from glasnost.record.redactor import Redactor
from glasnost.record.reload_metrics import ReloadMetrics
from glasnost.record.secrets import secrets_of
from glasnost.record.sharing import Crew, Shared
from glasnost.record.tracing import Tracer, build_tracer
from glasnost.server.app import create_app
from glasnost.server.drain import Drain
from glasnost.server.keys import Guard
from glasnost.upstream.base import Upstream
from glasnost.upstream.housing import house
from glasnost.upstream.http import HttpServer
from glasnost.upstream.litellm import LitellmProvider
from glasnost.upstream.local import LocalEngine
from glasnost.upstream.registry import Registry
from glasnost.upstream.script import Script
from glasnost.upstream.scripted import ScriptPlayer

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Fixed:
    """What stays as it is until the process ends."""

    upstreams: Mapping[str, Upstream]
    backends: Backends
    metrics: Metrics
    counted: ExchangeMetrics
    reloads: ReloadMetrics
    quotas: Quotas
    drain: Drain
    environ: Mapping[str, str]
    tracer: Tracer | None


class Service:
    """The gateway as an ASGI application whose configuration can be replaced while it serves."""

    def __init__(
        self,
        config: Config,
        pipeline: Pipeline,
        fixed: _Fixed,
        policies: Mapping[tuple[str, ...], Policy],
    ) -> None:
        self._fixed = fixed
        self._take(config, pipeline, policies)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request by the configuration of the moment, to its end."""
        await self._app(scope, receive, send)

    def reload(self, config: Config, policies: Mapping[tuple[str, ...], Policy], head: Head | None) -> None:
        """Serve by another configuration from the next request on; raises ConfigError with what needs a restart."""
        if problems := fixed_changes(self.config, config):
            raise ConfigError("the changed configuration", problems)
        topics = _topics(policies)
        _check_topics(config, topics)
        opinions = build_opinions(config, self._fixed.upstreams, head)
        self._fixed.counted.expect(_targets(config), topics)
        self._take(config, self._pipeline.renewed(config, policies, opinions), policies)
        self._fixed.reloads.reloaded(ok=True)

    def refused(self) -> None:
        """Note that a changed configuration could not be taken."""
        self._fixed.reloads.reloaded(ok=False)

    def _take(self, config: Config, pipeline: Pipeline, policies: Mapping[tuple[str, ...], Policy]) -> None:
        fixed, server = self._fixed, config.server
        pepper = fixed.environ[server.pepper_env] if server.pepper_env else None
        guard = Guard(server.keys, pepper, fixed.quotas)
        self._app = create_app(
            config, pipeline, fixed.backends, fixed.metrics, drain=fixed.drain, guard=guard, tracer=fixed.tracer
        )
        self._pipeline = pipeline
        self.config = config
        fixed.reloads.took(policies)


def build_service(  # noqa: PLR0913 - what was read from files is handed over by name
    config: Config,
    policies: Mapping[tuple[str, ...], Policy],
    files: Mapping[str, Path],
    scripts: Mapping[str, Script],
    environ: Mapping[str, str],
    *,
    drain: Drain,
    head: Head | None = None,
    redactor: Redactor | None = None,
    crew: Crew | None = None,
) -> Service:
    """Build the gateway.

    `policies` are those of every list of packs that the configuration names, `files` gives the GGUF of every local
    upstream, `scripts` the parsed script of every scripted one, both by the upstream's name; `environ` holds the keys
    of upstreams under the variables that the configuration names; `drain` is the state of stopping, `head` that of the
    semantic tier; `redactor` knows the secrets. Raises ConfigError when the engines that are always loaded have no
    room on this machine, when a setting names a topic that no pack has, when the ledger cannot be kept, or when
    traces are wanted and what draws them is not installed.
    """
    topics = _topics(policies)
    _check_topics(config, topics)
    engines = house(config, files)
    upstreams = {
        name: engines.get(name) or _upstream(name, settings, scripts, environ)
        for name, settings in config.upstreams.items()
    }
    shared = Shared(crew) if crew else None
    metrics = Metrics(
        new_registry(shared=crew is not None), __version__, environ.get("GLASNOST_REVISION", ""), read=shared
    )
    counted = ExchangeMetrics(metrics, _targets(config), topics, upstreams)
    EngineCollector(metrics, engines)
    if engines:
        watch_gpus(metrics, partial(gpus, environ))
    redactor = redactor or Redactor(secrets_of(config, environ))
    ledger = _ledger(config, environ, engines, metrics, redactor)
    quotas = _quotas(config, environ, metrics)
    pipeline = Pipeline(
        config,
        upstreams,
        policies,
        Recorders(ledger, counted, quotas),
        opinions=build_opinions(config, upstreams, head),
        unfinished=drain.unfinished,
    )
    remember = partial(_remember, config, environ, pipeline.learned)
    tracer = build_tracer(config)
    backends = Backends(Registry(upstreams), ledger, quotas, remember, tracer, crew)
    FailoverMetrics(metrics, pipeline.failover)
    fixed = _Fixed(upstreams, backends, metrics, counted, ReloadMetrics(metrics), quotas, drain, environ, tracer)
    return Service(config, pipeline, fixed, policies)


def _topics(policies: Mapping[tuple[str, ...], Policy]) -> list[str]:
    return sorted({topic.id for policy in policies.values() for topic in policy.topics})


def _check_topics(config: Config, known: Sequence[str]) -> None:
    unknown = [
        Problem(f"stream.topics.{name}", f"no pack of audit.packs has this topic; there are: {', '.join(known)}")
        for name in config.stream.topics
        if not any(topic == name or topic.startswith(f"{name}.") for topic in known)
    ]
    if unknown:
        raise ConfigError("configuration", unknown)


class Backends:
    """The upstreams, the ledger, the quotas and the traces: what is started, asked and stopped together."""

    def __init__(  # noqa: PLR0913, PLR0917 - the composition root names them all
        self,
        upstreams: Registry,
        ledger: Ledger | None,
        quotas: Quotas,
        remember: Callable[[], None],
        tracer: Tracer | None,
        crew: Crew | None,
    ) -> None:
        """Take `remember`, which reads back what the ledger knows; it is called in a thread, once."""
        self._remember = remember
        self._upstreams = upstreams
        self._quotas = quotas
        self._ledger = ledger
        self._tracer = tracer
        self._crew = crew

    async def start(self) -> None:
        """Start the ledger first: nothing is served before it can be recorded."""
        if self._ledger is not None:
            await self._ledger.start()
            await asyncio.to_thread(self._remember)
        await self._upstreams.start()

    def waiting_for(self) -> Sequence[str]:
        """Name what keeps requests from being served now."""
        ledger = ["ledger"] if self._ledger is not None and not self._ledger.healthy else []
        others = ["the other workers"] if self._crew is not None and not self._crew.complete() else []
        return [*ledger, *others, *self._upstreams.waiting_for()]

    async def aclose(self) -> None:
        """Stop the ledger last: what the end of an upstream cuts off is recorded as cut off."""
        try:
            await self._upstreams.aclose()
            await self._quotas.aclose()
        finally:
            if self._ledger is not None:
                await self._ledger.aclose()
            if self._tracer is not None:
                await asyncio.to_thread(self._tracer.close)


def _ledger(
    config: Config,
    environ: Mapping[str, str],
    engines: Mapping[str, LocalEngine],
    metrics: Metrics,
    redactor: Redactor,
) -> Ledger | None:
    if not config.ledger.enabled:
        return None
    try:
        return build_ledger(config.ledger, environ, redactor, Identities(engines), LedgerMetrics(metrics))
    except LedgerError as error:
        advice = f"{error} Name another place, or set ledger.enabled to false."
        raise ConfigError("the configuration", [Problem("ledger", advice)]) from None


def _remember(config: Config, environ: Mapping[str, str], learned: Learned | None) -> None:
    """Learn from the exchanges that were recorded; without them, the order is learned anew."""
    if learned is None:
        return
    try:
        with place_of(config.ledger, environ).reader().connect() as connection:
            learned.learn(recall(connection))
    except (LedgerError, SQLAlchemyError) as error:
        log.warning("ladder_not_recalled", reason=str(error))


def _quotas(config: Config, environ: Mapping[str, str], metrics: Metrics) -> Quotas:
    variable = config.limits.redis_url_env
    return Quotas(metrics, environ[variable] if variable else None)


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
