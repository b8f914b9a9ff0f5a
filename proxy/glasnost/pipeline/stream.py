"""A streamed request: the same steps as a unary one, with what may leave decided chunk by chunk."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Iterator
from contextlib import aclosing
from dataclasses import replace

from glasnost.audit.best import rank
from glasnost.audit.decide import Amend, Block, Reroute, Stop
from glasnost.audit.rules import StreamRules
from glasnost.config import AfterRelease
from glasnost.errors import AnswerStopped, GlasnostError
from glasnost.pipeline.amend import Amendment
from glasnost.pipeline.asking import ask_streamed
from glasnost.pipeline.attempt import StreamAttempt
from glasnost.pipeline.complete import WITHHELD
from glasnost.pipeline.ladder import Step
from glasnost.pipeline.patience import patiently
from glasnost.pipeline.run import Run
from glasnost.pipeline.tail import Tail
from glasnost.policy.label import Action
from glasnost.record.exchange import Exchange, ExchangeOutcome
from glasnost.wire.answer import Chunk


class StreamedAnswer:
    """One streamed exchange: iterate `chunks()`; `headers()` says at any time what is known of it."""

    def __init__(self, run: Run, rules: StreamRules, *, explain: bool) -> None:
        self._run = run
        self._rules = rules
        self._explain = explain
        self._action = Action.PASS
        self._served_by = ""
        self._after_release: AfterRelease | None = None
        self._amendment: Amendment | None = None
        self._kept: tuple[StreamAttempt, Tail] | None = None
        self._concluded = False

    def headers(self) -> dict[str, str]:
        """Give the `x-glasnost-*` headers as they stand; after a hold that is all of them."""
        return self._exchange("served").headers()

    async def chunks(self) -> AsyncGenerator[Chunk]:
        """Give the chunks that may leave, the last one with the `glasnost` object; raises if no answer came."""
        run = self._run
        run.opened()
        outcome: ExchangeOutcome | None = None
        try:
            while (step := self._next_step()) is not None:
                async with aclosing(self._ask(step)) as chunks:
                    async for chunk in chunks:
                        await run.confirmed()
                        yield chunk
                if self._concluded:
                    return
            async for chunk in self._best_there_is():
                await run.confirmed()
                yield chunk
        except GlasnostError:
            outcome = "failed"
            raise
        finally:
            await run.closed(self._exchange(outcome or run.unfinished()))

    def _next_step(self) -> Step | None:
        step = self._run.take_step()
        there = self._amendment is not None or self._kept is not None
        return step if step is not None or there else self._run.last_resort()

    def _ask(self, step: Step) -> AsyncGenerator[Chunk]:
        """Ask one upstream, or two at once where there is a race."""
        rival = self._run.take_rival(step)
        if rival is None or self._run.race is None:
            return self._attempt(step)
        return self._run.race.first_to_speak({each.key: self._attempt(each) for each in (step, rival)})

    async def _attempt(self, step: Step) -> AsyncGenerator[Chunk]:
        """Ask one upstream; sets `_concluded` when its answer is the one that goes out."""
        run = self._run
        amending = self._amendment is not None
        # An answer that is to mend another must not need mending itself: it is judged whole.
        rules = replace(self._rules, asked=("full",)) if amending else self._rules
        attempt = StreamAttempt(run, step, rules, amending=amending)
        tail = Tail(run.request.n, include_usage=run.request.include_usage)
        try:
            async with aclosing(self._read(step, attempt)) as chunks:
                async for chunk in chunks:
                    if tail.pass_on(chunk):
                        if not await self._goes_out(step, attempt):
                            return
                        yield chunk
        except GlasnostError as error:
            attempt.fail(error)
            if not run.survives(error, step):
                raise
            return
        finally:
            attempt.close()
        if isinstance(attempt.over, Reroute):
            self._keep(attempt, tail)
        elif await self._goes_out(step, attempt):
            async for chunk in self._conclude(attempt, tail):
                yield chunk

    async def _goes_out(self, step: Step, attempt: StreamAttempt) -> bool:
        """Say whether this answer is the one that goes out, and note how far it has."""
        if not await self._run.claim(step):
            return False
        self._served_by, self._action = step.model, self._run.action_for(step)
        self._run.noted_release(attempt.released)
        self._run.heard = attempt.headers
        return True

    async def _read(self, step: Step, attempt: StreamAttempt) -> AsyncGenerator[Chunk]:
        """Read one upstream to its end, or to the auditor's word; give what may leave."""
        async with (
            aclosing(ask_streamed(self._run, step)) as upstream,
            aclosing(patiently(upstream, attempt.due)) as chunks,
        ):
            async for chunk in chunks:
                ready = attempt.tick() if chunk is None else attempt.take(chunk)
                for each in self._ours(ready, step.model):
                    yield each
                if attempt.over is not None:
                    return
        for each in self._ours(await attempt.end(), step.model):
            yield each

    def _ours(self, chunks: Iterable[Chunk], model: str) -> Iterator[Chunk]:
        """Put the configured name of the model that answers in place of the upstream's own."""
        for chunk in chunks:
            chunk["model"] = model
            if self._amendment is None:
                yield chunk
            else:
                yield from self._amendment.follow(chunk)

    async def _conclude(self, attempt: StreamAttempt, tail: Tail) -> AsyncGenerator[Chunk]:
        """End the exchange, unless the next step's answer is to follow; it is recorded before its last chunk leaves."""
        if isinstance(attempt.over, Amend):
            self._amend(attempt, tail)
            return
        self._concluded = True
        outcome: ExchangeOutcome = "served"
        if isinstance(attempt.over, Block):
            tail.withhold(WITHHELD, self._run.request.n)
            outcome, self._action, self._served_by = "blocked", Action.BLOCK, ""
        elif isinstance(attempt.over, Stop):
            outcome, self._action, self._after_release = "blocked", Action.BLOCK, "stop"
        elif attempt.flag is not None:
            self._action = Action.FLAG
            self._after_release = "flag" if attempt.flag.reason == "already_released" else self._after_release
        exchange = self._exchange(outcome)
        await self._run.closed(exchange)
        if self._after_release == "stop":
            raise AnswerStopped(exchange.as_dict(explain=self._explain))
        for chunk in tail.close(exchange.as_dict(explain=self._explain)):
            yield chunk

    def _amend(self, attempt: StreamAttempt, tail: Tail) -> None:
        """Let the next step's answer follow what has left of this one."""
        run = self._run
        self._amendment = Amendment(attempt, tail, self._rules.settings.separator, run.request.n)
        run.released_before, run.released = run.released, 0
        self._after_release = "amend"

    def _keep(self, attempt: StreamAttempt, tail: Tail) -> None:
        """Keep a censored answer that is whole, if it is the best so far: it goes out when no other passes."""
        run = self._run
        if attempt.whole and (run.kept is None or rank(attempt.verdict) < rank(run.kept)):
            self._kept, run.kept = (attempt, tail), attempt.verdict

    async def _best_there_is(self) -> AsyncGenerator[Chunk]:
        """End with an answer of which the rest was held, since no other came; raises where there is none."""
        run = self._run
        if self._amendment is not None:
            run.released_before, self._after_release = 0, "flag"
            attempt, tail = self._amendment.attempt, self._amendment.tail
        elif self._kept is not None:
            attempt, tail = self._kept
        else:
            raise run.failure()
        self._concluded, self._action, self._served_by = True, Action.FLAG, attempt.model
        outcome: ExchangeOutcome = "served"
        if self._amendment is None and attempt.verdict.otherwise is Action.BLOCK:
            tail.withhold(WITHHELD, run.request.n)
            outcome, self._action, self._served_by = "blocked", Action.BLOCK, ""
        else:
            for chunk in attempt.resume():
                chunk["model"] = self._served_by
                if tail.pass_on(chunk):
                    yield chunk
            run.noted_release(attempt.released)
        if self._amendment is not None:
            tail.cut_off()
        exchange = self._exchange(outcome)
        await run.closed(exchange)
        for chunk in tail.close(exchange.as_dict(explain=self._explain)):
            yield chunk

    def _exchange(self, outcome: ExchangeOutcome) -> Exchange:
        return self._run.exchange(outcome, self._action, self._served_by, after_release=self._after_release)
