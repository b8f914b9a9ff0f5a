"""The one thread that owns a model's context: it plans, computes and samples, step after step.

The lock guards the scheduler and is held neither while llama.cpp computes nor while tokens are chosen, so that to
submit or to cancel takes microseconds. All events of a step reach the event loop in one call.
"""

from __future__ import annotations

import asyncio
import logging
import random
import threading
import time
from collections import deque
from collections.abc import Callable
from collections.abc import Sequence as Ordered
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from glasnost.engine.adapters import Adapters
from glasnost.engine.call import Call, Result
from glasnost.engine.events import Event, Failure
from glasnost.engine.generation import Generation
from glasnost.engine.llama import Context, Model
from glasnost.engine.opening import Watch
from glasnost.engine.params import Sampling
from glasnost.engine.scheduler import Scheduler
from glasnost.engine.sequence import Sequence
from glasnost.engine.settings import EngineSettings
from glasnost.engine.step import Limits, Step
from glasnost.engine.ticket import Ticket, put_all
from glasnost.engine.waits import Waits
from glasnost.errors import GlasnostError, Overloaded

log = logging.getLogger("glasnost.engine")

# What llama_decode returns; below zero it failed.
_DONE, _NO_ROOM, _ABORTED = 0, 1, 2


@dataclass(slots=True)
class Counters:
    """What the worker did since it started."""

    steps: int = 0
    requests: int = 0
    prompt_tokens: int = 0
    reused_tokens: int = 0
    generated_tokens: int = 0
    cancelled: int = 0
    failed_steps: int = 0


class Worker:
    """Runs a model for the running event loop: `start`, then `submit` requests, `stop` at the end."""

    def __init__(self, model: Model, context: Context, settings: EngineSettings) -> None:
        self.model = model
        self.context = context
        self.counters = Counters()
        self.waits = Waits()
        self.ended = asyncio.Event()
        limits = Limits(
            slots=settings.slots,
            cells=context.size,
            queue=settings.queue,
            budget=context.budget,
            chunk=context.chunk,
            partial=model.partial_cache,
        )
        self.scheduler = Scheduler(limits)
        self._work = threading.Condition()
        self._stopping = False
        self._generations: dict[Sequence, tuple[Generation, Ticket]] = {}
        self._queued_at: dict[Sequence, float] = {}
        self._computing: list[Sequence] = []
        self._calls: deque[Call[Any]] = deque()
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)

    @property
    def alive(self) -> bool:
        """True while requests are answered."""
        return self._thread.is_alive() and not self._stopping

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def submit(
        self,
        prompt: Ordered[int],
        sampling: Sampling,
        choices: int,
        *,
        adapters: Adapters = (),
        watch: Watch | None = None,
    ) -> Ticket:
        """Queue `choices` continuations of a prompt with `adapters`; `watch` gives what watches the opening of each.

        QueueFull when there is no place for all of them, InvalidRequest when the grammar of `sampling` is none.
        """
        room = self.context.longest - len(prompt)
        limit = min(sampling.max_tokens or room, room)
        seed = random.getrandbits(31) if sampling.seed is None else sampling.seed
        sequences = [Sequence(tuple(prompt), limit, adapters) for _ in range(choices)]
        ticket = Ticket(lambda: self.cancel(sequences))
        # A grammar may not compile, and takes milliseconds: not within the lock, and before anything is queued.
        generations = [
            # llama.cpp reads 2^32 - 1 as "draw a seed".
            Generation(
                choice,
                sequence,
                sampling,
                self.context.sampler(sampling, (seed + choice) % 0xFFFFFFFF),
                watch(choice) if watch is not None else None,
            )
            for choice, sequence in enumerate(sequences)
        ]
        try:
            self._admit(sequences, generations, ticket)
        except GlasnostError:
            for generation in generations:
                generation.close()
            raise
        return ticket

    def call(self, function: Callable[[], Result]) -> Future[Result]:
        """Run a short function on the worker's thread, one between two steps; Overloaded when the engine ends first.

        A future that is cancelled before its turn is passed over.
        """
        call = Call(function)
        with self._work:
            if not self.alive:
                raise Overloaded("The engine is shutting down.", retry_after=1)
            self._calls.append(call)
            self._work.notify()
        return call.future

    def cancel(self, sequences: Ordered[Sequence]) -> None:
        """End sequences that nobody waits for; a step that computes nothing else is aborted."""
        with self._work:
            for sequence in sequences:
                if sequence in self._generations and not sequence.cancelled:
                    self.scheduler.cancel(sequence)
                    self.counters.cancelled += 1
            if self._computing and all(sequence.cancelled for sequence in self._computing):
                self.context.abort()
            self._work.notify()

    def stop(self) -> None:
        """End at once; whoever still waits gets an error."""
        with self._work:
            self._stopping = True
            self.context.abort()
            self._work.notify()

    def close(self) -> None:
        """Stop, wait for the thread, then free the context."""
        self.stop()
        if self._thread.ident is not None:
            self._thread.join()
        self.context.close()

    def _admit(self, sequences: list[Sequence], generations: list[Generation], ticket: Ticket) -> None:
        with self._work:
            if not self.alive:
                raise Overloaded("The engine is shutting down.", retry_after=1)
            self.scheduler.submit(sequences)
            for generation in generations:
                self._generations[generation.sequence] = (generation, ticket)
                self._queued_at[generation.sequence] = time.perf_counter()
            self.counters.requests += 1
            self._work.notify()

    def _run(self) -> None:
        error: Exception = Overloaded("The engine is shutting down.", retry_after=1)
        try:
            while (turn := self._next()) is not None:
                step, call = turn
                if step is not None:
                    self._compute(step)
                if call is not None:
                    call.run()
        except Exception as unexpected:
            log.exception("the worker of the engine ended")
            error = unexpected
        with self._work:
            self._stopping = True
            self._fail(list(self._generations), error)
            calls, self._calls = self._calls, deque()
        for call in calls:
            call.fail(error)
        self._call(self.ended.set)

    def _next(self) -> tuple[Step | None, Call[Any] | None] | None:
        """Wait for a step, a call or both; None at the end."""
        with self._work:
            while not self._stopping:
                for sequence in [sequence for sequence in self._generations if sequence.cancelled]:
                    self._forget(sequence)
                step = self.scheduler.plan()
                self._count_waits()
                if step is not None:
                    self._computing = self.scheduler.computed_by(step)
                    self.context.resume()
                call = self._calls.popleft() if self._calls else None
                if step is not None or call is not None:
                    return step, call
                self._work.wait()
        return None

    def _count_waits(self) -> None:
        for sequence in self.scheduler.admitted:
            queued_at = self._queued_at.pop(sequence, None)
            if queued_at is not None:  # one that had to give way waits for the second time
                self.waits.observe(time.perf_counter() - queued_at)

    def _compute(self, step: Step) -> None:
        self.context.apply(step.operations)
        if step.spans:
            self.context.adapt(step.adapters)
        status = self.context.decode(step.spans) if step.spans else _DONE
        with self._work:
            computed, self._computing = self._computing, []
            self.counters.steps += 1
            if status != _DONE:
                self._recover(step, status, computed)
                return
            sampled = self.scheduler.commit(step)
            chosen = [self._generations[sequence] if sequence is not None else None for sequence in sampled]
        self._sample(step, chosen)

    def _sample(self, step: Step, chosen: list[tuple[Generation, Ticket] | None]) -> None:
        events: list[tuple[Ticket, Event]] = []
        complete: list[Sequence] = []
        row = -1
        for span, generating in zip(step.spans, chosen, strict=True):
            row += len(span.tokens)
            if generating is not None:
                generation, ticket = generating
                events += [(ticket, event) for event in generation.step(row, self.model, self.context)]
                self.counters.generated_tokens += 1
                if generation.complete:
                    complete.append(generation.sequence)
        if complete:
            with self._work:
                for sequence in complete:
                    self._complete(sequence)
        if events:
            self._call(put_all, events)

    def _complete(self, sequence: Sequence) -> None:
        self.counters.prompt_tokens += len(sequence.prompt)
        self.counters.reused_tokens += sequence.reused
        self.scheduler.finish(sequence)
        self._forget(sequence)

    def _recover(self, step: Step, status: int, computed: list[Sequence]) -> None:
        self.scheduler.abandon(step)
        if status == _ABORTED:
            return
        self.counters.failed_steps += 1
        log.warning("llama.cpp failed on a step of %d sequences with status %d", len(computed), status)
        if status == _NO_ROOM:
            victim = self.scheduler.give_way()
            computed = [] if victim is None else [victim]
        self._fail(computed, GlasnostError("The model failed on this request.", code="engine_failed"))

    def _fail(self, sequences: Ordered[Sequence], error: Exception) -> None:
        events: list[tuple[Ticket, Event]] = []
        for sequence in sequences:
            events.append((self._generations[sequence][1], Failure(error)))
            self.scheduler.cancel(sequence)
            self._forget(sequence)
        if events:
            self._call(put_all, events)

    def _forget(self, sequence: Sequence) -> None:
        generation, _ = self._generations.pop(sequence)
        self._queued_at.pop(sequence, None)
        generation.close()

    def _call(self, function: Callable[..., None], *arguments: Any) -> None:
        try:
            self._loop.call_soon_threadsafe(function, *arguments)
        except RuntimeError:
            log.debug("the event loop ended before the worker of the engine")
