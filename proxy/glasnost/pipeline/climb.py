"""Which step comes next: what is left of a ladder and of its budget, past upstreams that fail."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from glasnost.config import RerouteSettings
from glasnost.pipeline.failover import Failover, upstreams_fault
from glasnost.pipeline.ladder import Step
from glasnost.record.exchange import Attempt, Skipped
from glasnost.wire.chat import ChatRequest


@dataclass(slots=True)
class Climb:
    """The way of one exchange up its ladder; every attempt is told to `note`, which decides what may come next."""

    request: ChatRequest
    steps: tuple[Step, ...]
    limits: RerouteSettings
    failover: Failover
    clock: Callable[[], float]
    skipped: list[Skipped] = field(init=False, default_factory=list)
    _next: int = field(init=False, default=0)
    _raced: int | None = field(init=False, default=None)
    _taken: int = field(init=False, default=0)
    _since: float | None = field(init=False, default=None)
    _failed: set[str] = field(init=False, default_factory=set)
    _again: Step | None = field(init=False, default=None)
    _answered: dict[str, str] = field(init=False, default_factory=dict)  # the upstream that last answered, by model

    @property
    def left(self) -> bool:
        """Say whether another step may still be tried within the limits."""
        again = self._retry()
        return (again is not None and self.failover.may_retry(again.model)) or self._peek() is not None

    def take(self) -> Step | None:
        """Give the next step, with the upstream to ask; None when the ladder or its budget is at an end."""
        again = self._retry()
        if again is not None and self.failover.retrying(again.model, again.upstream.name):
            self._again = None
            return self._entered(again)
        self._give_up()
        found = self._peek()
        if found is None:
            return None
        index, step = found
        if self._taken and self._since is None:
            self._since = self.clock()
        if not self._taken:
            self.failover.asked(step.model)
        self._next, self._taken = index + 1, self._taken + 1
        return self._entered(step)

    def rival(self) -> tuple[int, Step] | None:
        """Give the place and the step of the first rung that asks another model, which a race would take."""
        asked = self.steps[0].model
        return next(((index, step) for index, step in self._possible() if step.model != asked), None)

    def take_rival(self, index: int, step: Step) -> Step:
        """Take a rung out of its turn; the rungs before it keep theirs."""
        self._raced, self._taken = index, self._taken + 1
        return self._entered(step)

    def finish(self, attempt: Attempt) -> Step:
        """Give the step that made an attempt, to be asked once more, after which no further one is needed."""
        self._next, self._again = len(self.steps), None
        return self._entered(self.step_of(attempt))

    def note(self, attempt: Attempt) -> None:
        """Learn from an attempt; one that failed at its upstream may be tried again at another of the same model."""
        self.failover.note(attempt)
        if attempt.outcome == "outrun":
            self._raced = None  # nobody has seen its answer, so it may still be asked
        if attempt.outcome in ("answered", "interrupted"):
            self._answered[attempt.model] = attempt.upstream
        elif attempt.error is not None and upstreams_fault(attempt.error):
            self._failed.add(attempt.upstream)
            if attempt.purpose == "answer":
                self._again = self.step_of(attempt)

    def step_of(self, attempt: Attempt) -> Step:
        """Give the step that made an attempt, with the upstream that was asked."""
        step = next(each for each in self.steps if (each.rung, each.model) == (attempt.rung, attempt.model))
        return replace(step, upstream=next(each for each in step.upstreams if each.name == attempt.upstream))

    def retry_after(self) -> int:
        """Give the seconds until an upstream of the asked model may be asked again."""
        return self.failover.retry_after(self.steps[0].upstreams)

    def _retry(self) -> Step | None:
        """Give the step that failed, at another upstream of its model."""
        if self._again is None:
            return None
        return self._at(self._again)

    def _give_up(self) -> None:
        """Leave a model that failed and may not be retried: its other rungs would be retries by another name."""
        if self._again is not None:
            self._failed.update(each.name for each in self._again.upstreams)
            self._again = None

    def _peek(self) -> tuple[int, Step] | None:
        if self._taken and (self._taken > self.limits.max_attempts or self._out_of_time()):
            return None
        return next(self._possible(), None)

    def _possible(self) -> Iterator[tuple[int, Step]]:
        for index in range(self._next, len(self.steps)):
            step = self._at(self.steps[index]) if index != self._raced else None
            if step is not None and not self._skips(step):
                yield index, step

    def _at(self, step: Step) -> Step | None:
        """Give the step at the upstream to ask: the one that answered for this model before, or the next."""
        kept = self._answered.get(step.model)
        chosen = self.failover.choose(step.upstreams, self._failed, step.balance, kept)
        return None if chosen is None else replace(step, upstream=chosen)

    def _skips(self, step: Step) -> bool:
        reason = step.way.lacks(self.request)
        if reason is None:
            return False
        skipped = Skipped(step.rung, step.model, reason)
        if skipped not in self.skipped:
            self.skipped.append(skipped)
        return True

    def _entered(self, step: Step) -> Step:
        self.failover.enter(step.upstream.name, step.upstreams)
        return step

    def _out_of_time(self) -> bool:
        return self._since is not None and self.clock() - self._since > self.limits.seconds
