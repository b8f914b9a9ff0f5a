"""One streamed upstream call: feeds the auditor, times it, and turns its findings into chunks or a decision."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from glasnost.audit.decide import Block, Flag, Reroute, decide
from glasnost.audit.stream import Interrupt, Release, StreamAudit
from glasnost.errors import GlasnostError
from glasnost.pipeline.ladder import Step
from glasnost.pipeline.run import Run
from glasnost.pipeline.timing import excerpt, timed
from glasnost.record.exchange import Attempt
from glasnost.wire.answer import Chunk, finish_reasons_of, fragments_of


class StreamAttempt:
    """Feed it what the upstream sends; `over` is set when the attempt must not go on."""

    def __init__(self, run: Run, step: Step, auditor: StreamAudit, hold_seconds: float) -> None:
        self._run = run
        self._auditor = auditor
        self._started = run.clock()
        self._deadline: float | None = self._started + hold_seconds
        self._attempt = Attempt(step.rung, step.model, step.upstream.name, "cancelled", 0.0)
        self.over: Reroute | Block | None = None
        self.flagged = False
        self._noted = False
        self._spoken = False
        self._head: list[Chunk] = []

    def take(self, chunk: Chunk) -> list[Chunk]:
        """Take the next chunk; give those that may leave."""
        if self._attempt.first_token is None and fragments_of(chunk):
            self._attempt = replace(self._attempt, first_token=self._run.clock() - self._started)
        if chunk.get("usage"):
            self._attempt = replace(self._attempt, usage=chunk["usage"])
        ready = self._act(self._timed(lambda: self._auditor.feed(chunk)))
        if self._deadline is not None and self._run.clock() > self._deadline and self.over is None:
            self._deadline = None
            ready += self._act(self._timed(self._auditor.expire))
        return ready

    def end(self) -> list[Chunk]:
        """Judge the whole, now that the upstream is done; give what may leave."""
        ready = self._act(self._timed(self._auditor.finish))
        self._attempt = replace(self._attempt, outcome="answered")
        return ready

    def fail(self, error: GlasnostError) -> None:
        """Note that the upstream, or the audit, failed."""
        self._attempt = replace(self._attempt, outcome="failed", error=error)
        self.close()

    def close(self) -> None:
        """Note the attempt, once, however it ended."""
        if self._noted:
            return
        self._noted = True
        outcome = "interrupted" if self.over is not None else self._attempt.outcome
        judged = outcome in ("answered", "interrupted")
        self._run.note(
            replace(
                self._attempt,
                outcome=outcome,
                seconds=self._run.clock() - self._started,
                verdict=self._auditor.verdict if judged else None,
                excerpt=excerpt(self._auditor.answers),
            )
        )

    def _act(self, events: list[Release | Interrupt]) -> list[Chunk]:
        """Turn the auditor's findings into chunks that leave; a flag lets everything pass from here on."""
        ready: list[Chunk] = []
        for event in events:
            if isinstance(event, Release):
                ready += event.chunks
                continue
            decision = decide(event.verdict, rungs_left=self._run.rungs_left, released=event.released)
            if isinstance(decision, Reroute | Block):
                self.over = decision
                break
            self.flagged = isinstance(decision, Flag)
            ready += self._act(self._auditor.resume())
        self._note_release()
        return self._after_head(ready)

    def _after_head(self, ready: list[Chunk]) -> list[Chunk]:
        """Keep what comes before the first text: until then another upstream can still begin the stream anew."""
        if self._spoken:
            return ready
        self._head += ready
        if not any(fragments_of(chunk) or finish_reasons_of(chunk) for chunk in ready):
            return []
        self._spoken = True
        return self._head

    def _note_release(self) -> None:
        run = self._run
        run.released = self._auditor.released
        if run.released and run.first_token is None:
            run.first_token = run.clock() - run.started

    def _timed(self, work: Callable[[], list[Release | Interrupt]]) -> list[Release | Interrupt]:
        events, seconds = timed(work)
        self._attempt = replace(self._attempt, audit_seconds=self._attempt.audit_seconds + seconds)
        return events
