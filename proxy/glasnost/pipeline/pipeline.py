"""The door to the pipeline: a parsed request in, an audited answer out."""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Literal

from glasnost.audit.rules import StreamRules
from glasnost.config import Config, KeySettings, StreamMode
from glasnost.errors import InvalidRequest, ModelNotFound
from glasnost.pipeline.caller import Caller
from glasnost.pipeline.complete import complete
from glasnost.pipeline.failover import Failover
from glasnost.pipeline.given import Means, judge_given
from glasnost.pipeline.ladder import Step, steps
from glasnost.pipeline.learned import Learned
from glasnost.pipeline.opinions.opinions import Opinions
from glasnost.pipeline.race import Races
from glasnost.pipeline.run import Clock, Run, client_left
from glasnost.pipeline.stream import StreamedAnswer
from glasnost.pipeline.vectors import embed
from glasnost.policy.policy import Policy
from glasnost.record.exchange import Exchange, ExchangeOutcome, Recorder
from glasnost.record.metrics import UNRESOLVED
from glasnost.upstream.base import Upstream
from glasnost.wire.answer import Completion
from glasnost.wire.audits import Case
from glasnost.wire.chat import ChatRequest

NOBODY = Caller()


def new_id() -> str:
    """Give a fresh exchange id."""
    return f"gx-{uuid.uuid4().hex}"


class Pipeline:
    """Serves chat requests by the models of a configuration, judged by one policy."""

    def __init__(  # noqa: PLR0913 - the composition root hands over every part by name
        self,
        config: Config,
        upstreams: Mapping[str, Upstream],
        policies: Mapping[tuple[str, ...], Policy],
        recorder: Recorder,
        *,
        opinions: Opinions | None = None,
        clock: Clock = time.monotonic,
        ids: Callable[[], str] = new_id,
        unfinished: Callable[[], ExchangeOutcome] = client_left,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """Take every part; `policies` by their packs, `unfinished` says why an exchange that was cancelled is over."""
        self._config = config
        self._upstreams = upstreams
        self._steps: dict[str, tuple[Step, ...]] = {
            name: steps(name, config.models, upstreams) for name in config.models
        }
        self.failover = Failover(config.failover, {name: each.weight for name, each in config.upstreams.items()}, clock)
        learns = config.reroute.order == "learned"
        #: What came of rungs so far, where the order of ladders is to be learned.
        self.learned = Learned(config.reroute.explore, chance) if learns else None
        self._chance = chance
        self._races = Races(config.race, clock)
        self._policies = policies
        self._recorder = recorder
        self._opinions = opinions
        self._clock = clock
        self._ids = ids
        self._unfinished = unfinished

    def renewed(
        self, config: Config, policies: Mapping[tuple[str, ...], Policy], opinions: Opinions | None
    ) -> Pipeline:
        """Give the pipeline of another configuration, which goes on with what this one knows of upstreams and rungs."""
        fresh = Pipeline(
            config,
            self._upstreams,
            policies,
            self._recorder,
            opinions=opinions,
            clock=self._clock,
            ids=self._ids,
            unfinished=self._unfinished,
            chance=self._chance,
        )
        fresh.failover = self.failover
        if fresh.learned is not None and self.learned is not None:
            fresh.learned = self.learned
        return fresh

    @property
    def models(self) -> tuple[str, ...]:
        """The names that clients may ask for, in the order of the configuration."""
        return tuple(self._steps)

    async def complete(self, request: ChatRequest, caller: Caller = NOBODY) -> tuple[Completion, Exchange]:
        """Answer in one piece; raises GlasnostError when no step gave an answer."""
        return await complete(self._run(request, "unary", caller))

    def stream(
        self,
        request: ChatRequest,
        caller: Caller = NOBODY,
        *,
        tighten: str | None = None,
        explain: bool = False,
    ) -> StreamedAnswer:
        """Answer chunk by chunk; `tighten` is a mode that the client asks for."""
        run = self._run(request, "unary", caller)
        rules = StreamRules(self._config.stream, tuple(self._asked_modes(request.model, caller.key, tighten)))
        run.mode = rules.mode(run.policy, run.topics)
        return StreamedAnswer(run, rules, explain=explain)

    async def audit(self, case: Case, model: str, means: Means, caller: Caller = NOBODY) -> Exchange:
        """Judge an answer that was given elsewhere, by `model` where that is one of ours."""
        request = replace(case.request, model=model if model in self._steps else UNRESOLVED)
        return await judge_given(self._run(request, "given", caller), case.answers, means)

    async def embed(self, body: Mapping[str, Any], model: str) -> dict[str, Any]:
        """Give the embeddings of a checked request; raises InvalidRequest where the model's upstreams make none."""
        asked = self._steps_of(model)[0]
        return await embed(model, asked.upstreams, self.failover, body, asked.balance)

    def _policy_for(self, caller: Caller) -> Policy:
        return self._policies[caller.packs or self._config.audit.packs]

    def _steps_of(self, model: str) -> tuple[Step, ...]:
        if model not in self._steps:
            known = ", ".join(self._steps)
            raise ModelNotFound(f"There is no model {model!r} here; there are: {known}.", param="model")
        return self._steps[model]

    def _run(self, request: ChatRequest, mode: Literal["unary", "given"], caller: Caller) -> Run:
        asked = mode != "given"  # or nobody here is, and there is nothing to race or to learn from
        steps = self._steps_of(request.model) if asked else ()
        return Run(
            id=self._ids(),
            request=request,
            steps=steps if caller.may_reroute else steps[:1],
            policy=self._policy_for(caller),
            mode=mode,
            limits=self._config.reroute,
            recorder=self._recorder,
            clock=self._clock,
            failover=self.failover,
            races=self._races if asked and caller.may_reroute and self._config.models[request.model].race else None,
            learned=self.learned if asked else None,
            caller=caller,
            opinions=self._opinions,
            unfinished=self._unfinished,
        )

    def _asked_modes(self, model: str, key: KeySettings | None, tighten: str | None) -> Iterator[StreamMode]:
        configured = (self._config.models[model].mode, key.mode if key is not None else None)
        yield from (mode for mode in configured if mode is not None)
        if tighten is not None:
            if tighten not in ("hold", "full"):
                raise InvalidRequest("`x-glasnost-mode` must be hold or full.", param="x-glasnost-mode")
            yield "hold" if tighten == "hold" else "full"
