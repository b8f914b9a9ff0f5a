"""The door to the pipeline: a parsed request in, an audited answer out."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Literal

from glasnost.audit.rules import StreamRules
from glasnost.config import Config, KeySettings, StreamMode
from glasnost.errors import InvalidRequest, ModelNotFound
from glasnost.pipeline.complete import complete
from glasnost.pipeline.failover import Failover
from glasnost.pipeline.ladder import Step, steps
from glasnost.pipeline.run import Clock, Run
from glasnost.pipeline.stream import StreamedAnswer
from glasnost.policy.policy import Policy
from glasnost.record.exchange import Exchange, Recorder
from glasnost.upstream.base import Upstream
from glasnost.wire.answer import Completion
from glasnost.wire.chat import ChatRequest


def new_id() -> str:
    """Give a fresh exchange id."""
    return f"gx-{uuid.uuid4().hex}"


class Pipeline:
    """Serves chat requests by the models of a configuration, judged by one policy."""

    def __init__(  # noqa: PLR0913 - the composition root hands over every part by name
        self,
        config: Config,
        upstreams: Mapping[str, Upstream],
        policy: Policy,
        recorder: Recorder,
        *,
        clock: Clock = time.monotonic,
        ids: Callable[[], str] = new_id,
    ) -> None:
        self._config = config
        self._steps: dict[str, tuple[Step, ...]] = {
            name: steps(name, config.models, upstreams) for name in config.models
        }
        self.failover = Failover(config.failover, upstreams, clock)
        self._policy = policy
        self._recorder = recorder
        self._clock = clock
        self._ids = ids

    @property
    def models(self) -> tuple[str, ...]:
        """The names that clients may ask for, in the order of the configuration."""
        return tuple(self._steps)

    async def complete(self, request: ChatRequest) -> tuple[Completion, Exchange]:
        """Answer in one piece; raises GlasnostError when no step gave an answer."""
        return await complete(self._run(request, "unary"))

    def stream(
        self,
        request: ChatRequest,
        *,
        tighten: str | None = None,
        key: KeySettings | None = None,
        explain: bool = False,
    ) -> StreamedAnswer:
        """Answer chunk by chunk; `tighten` is a mode that the client asks for, `key` the one that it showed."""
        run = self._run(request, "unary")
        rules = StreamRules(self._config.stream, tuple(self._asked_modes(request.model, key, tighten)))
        run.mode = rules.mode(self._policy, run.topics)
        return StreamedAnswer(run, rules, explain=explain)

    def _run(self, request: ChatRequest, mode: StreamMode | Literal["unary"]) -> Run:
        if request.model not in self._steps:
            known = ", ".join(self._steps)
            raise ModelNotFound(f"There is no model {request.model!r} here; there are: {known}.", param="model")
        return Run(
            id=self._ids(),
            request=request,
            steps=self._steps[request.model],
            policy=self._policy,
            mode=mode,
            limits=self._config.reroute,
            recorder=self._recorder,
            clock=self._clock,
            failover=self.failover,
        )

    def _asked_modes(self, model: str, key: KeySettings | None, tighten: str | None) -> Iterator[StreamMode]:
        configured = (self._config.models[model].mode, key.mode if key is not None else None)
        yield from (mode for mode in configured if mode is not None)
        if tighten is not None:
            if tighten not in ("hold", "full"):
                raise InvalidRequest("`x-glasnost-mode` must be hold or full.", param="x-glasnost-mode")
            yield "hold" if tighten == "hold" else "full"
