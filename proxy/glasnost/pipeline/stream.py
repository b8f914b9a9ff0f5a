"""A streamed request: the same steps as a unary one, with what may leave decided chunk by chunk."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from glasnost.audit.decide import Block, Reroute
from glasnost.audit.stream import StreamAudit
from glasnost.config import StreamMode, StreamSettings
from glasnost.errors import GlasnostError
from glasnost.pipeline.asking import ask_streamed
from glasnost.pipeline.attempt import StreamAttempt
from glasnost.pipeline.complete import WITHHELD
from glasnost.pipeline.ladder import Step
from glasnost.pipeline.run import Run
from glasnost.pipeline.tail import Tail
from glasnost.policy.label import Action
from glasnost.record.exchange import ExchangeOutcome
from glasnost.wire.answer import Chunk


class StreamedAnswer:
    """One streamed exchange: iterate `chunks()`; `headers()` says at any time what is known of it."""

    def __init__(self, run: Run, mode: StreamMode, settings: StreamSettings, *, explain: bool) -> None:
        self._run = run
        self._mode = mode
        self._settings = settings
        self._explain = explain
        self._action = Action.PASS
        self._served_by = ""
        self._concluded = False

    def headers(self) -> dict[str, str]:
        """Give the `x-glasnost-*` headers as they stand; after a hold that is all of them."""
        return self._run.exchange("served", self._action, self._served_by).headers()

    async def chunks(self) -> AsyncGenerator[Chunk]:
        """Give the chunks that may leave, the last one with the `glasnost` object; raises if no answer came."""
        run = self._run
        run.opened()
        outcome: ExchangeOutcome = "client_disconnected"
        try:
            while (step := run.take_step() or run.last_resort()) is not None:
                async with aclosing(self._attempt(step)) as chunks:
                    async for chunk in chunks:
                        await run.confirmed()
                        yield chunk
                if self._concluded:
                    return
            raise run.failure()
        except GlasnostError:
            outcome = "failed"
            raise
        finally:
            await run.closed(run.exchange(outcome, self._action, self._served_by))

    async def _attempt(self, step: Step) -> AsyncGenerator[Chunk]:
        """Ask one upstream; sets `_concluded` when its answer is the one that goes out."""
        run = self._run
        self._served_by, self._action = step.model, run.action_for(step)
        attempt = StreamAttempt(run, step, self._auditor(), self._settings.hold_seconds)
        tail = Tail(run.request.n, include_usage=run.request.include_usage)
        try:
            async with aclosing(self._read(step, attempt)) as chunks:
                async for chunk in chunks:
                    if tail.pass_on(chunk):
                        yield chunk
        except GlasnostError as error:
            attempt.fail(error)
            if not run.survives(error, step):
                raise
            return
        finally:
            attempt.close()
        async for chunk in self._conclude(attempt, tail):
            yield chunk

    async def _read(self, step: Step, attempt: StreamAttempt) -> AsyncGenerator[Chunk]:
        """Read one upstream to its end, or to the auditor's word; give what may leave, under the model's own name."""
        async with aclosing(ask_streamed(self._run, step)) as upstream:
            async for chunk in upstream:
                for ready in attempt.take(chunk):
                    yield _named(ready, step.model)
                if attempt.over is not None:
                    return
        for ready in attempt.end():
            yield _named(ready, step.model)

    async def _conclude(self, attempt: StreamAttempt, tail: Tail) -> AsyncGenerator[Chunk]:
        """End the exchange, unless the next step is to answer; it is recorded before its last chunk leaves."""
        if isinstance(attempt.over, Reroute):
            return
        run = self._run
        self._concluded = True
        outcome: ExchangeOutcome = "served"
        if isinstance(attempt.over, Block):
            tail.withhold(WITHHELD, run.request.n)
            outcome, self._action, self._served_by = "blocked", Action.BLOCK, ""
        elif attempt.flagged:
            self._action = Action.FLAG
        exchange = run.exchange(outcome, self._action, self._served_by)
        await run.closed(exchange)
        for chunk in tail.close(exchange.as_dict(explain=self._explain)):
            yield chunk

    def _auditor(self) -> StreamAudit:
        run = self._run
        return StreamAudit(
            run.policy,
            run.conversation,
            self._mode,
            hold_chars=self._settings.hold_chars,
            max_held_chars=self._settings.max_held_chars,
            choices=run.request.n,
        )


def _named(chunk: Chunk, model: str) -> Chunk:
    """Put the configured name of the model that answers in place of the upstream's own."""
    chunk["model"] = model
    return chunk
