"""One streamed upstream call: feeds the auditor, times it, and turns its findings into chunks or a decision."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from glasnost.audit.best import rank
from glasnost.audit.decide import Amend, Block, Deliver, Flag, Reroute, Stop, decide
from glasnost.audit.rules import StreamRules
from glasnost.audit.stream import Interrupt, Release, StreamAudit
from glasnost.audit.verdict import Verdict
from glasnost.config import AfterRelease
from glasnost.errors import GlasnostError
from glasnost.pipeline.ladder import Step
from glasnost.pipeline.run import Run
from glasnost.pipeline.timing import excerpt, timed
from glasnost.pipeline.tokens import estimated_usage
from glasnost.policy.label import Action
from glasnost.record.exchange import Attempt
from glasnost.upstream.heard import listen
from glasnost.wire.answer import Chunk, finish_reasons_of, fragments_of

T = TypeVar("T")


class StreamAttempt:
    """Feed it what the upstream sends; `over` is set when the attempt must not go on, `flag` when it goes on marked.

    `headers` are those that came with the answer, once it has begun.

    With `amending`, its answer would follow a beginning that has left already: a censored one is then of no use.
    """

    def __init__(self, run: Run, step: Step, rules: StreamRules, *, amending: bool = False) -> None:
        self._run = run
        self._step = step
        self._rules = rules
        self._amending = amending
        self._auditor = StreamAudit(run.policy, run.conversation, rules, choices=run.request.n, asked=run.topics)
        self._started = run.clock()
        self._said_since: float | None = None
        self._held_since: float | None = None
        self._expired = False
        self._attempt = run.begin(Attempt(step.rung, step.model, step.upstream.name, "cancelled", 0.0))
        self.headers = listen()
        self.over: Reroute | Block | Stop | Amend | None = None
        self.flag: Flag | None = None
        self._noted = False
        self._spoken = False
        self._rigid = False
        self._head: list[Chunk] = []

    @property
    def model(self) -> str:
        """The model that answers."""
        return self._attempt.model

    @property
    def whole(self) -> bool:
        """True when the upstream was read to its end and nothing has left."""
        return self._attempt.outcome == "answered" and not self._auditor.released

    @property
    def verdict(self) -> Verdict:
        """The verdict on what was read."""
        return self._auditor.verdict

    @property
    def released(self) -> int:
        """The characters of the answer that may have left."""
        return self._auditor.released

    def take(self, chunk: Chunk) -> list[Chunk]:
        """Take the next chunk; give those that may leave."""
        if self._said_since is None and fragments_of(chunk):
            self._said_since = self._run.clock()
            self._attempt = replace(self._attempt, first_token=self._said_since - self._started)
        if chunk.get("usage"):
            self._attempt = replace(self._attempt, usage=chunk["usage"])
        return self._act(self._timed(lambda: self._auditor.feed(chunk))) + self.tick()

    def tick(self) -> list[Chunk]:
        """See whether a cap on time is reached; give what may leave for it."""
        ready: list[Chunk] = []
        if self.over is None and (due := self._opening_due()) is not None and self._run.clock() >= due:
            self._expired = True
            ready += self._act(self._timed(self._auditor.expire))
        if self.over is None and (due := self._held_due()) is not None and self._run.clock() >= due:
            ready += self._act(self._timed(self._auditor.overdue))
        return ready

    def due(self) -> float | None:
        """Give the seconds until `tick` has something to do."""
        dues = [due for due in (self._opening_due(), self._held_due()) if due is not None]
        return min(dues) - self._run.clock() if dues else None

    async def end(self) -> list[Chunk]:
        """Judge the whole, now that the upstream is done; give what may leave."""
        self._attempt = replace(self._attempt, seconds=self._run.clock() - self._started)
        self._timed(self._auditor.end)
        settled = await self._run.settle(self._auditor.verdict, self._auditor.answers, self._attempt.model)
        self._auditor.settle(settled.verdict)
        ready = self._act(self._timed(self._auditor.finish))
        self._attempt = replace(self._attempt, outcome="answered", consulted=settled.consulted)
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
        if not self._spoken:
            self._note_first()
        outcome = "interrupted" if self.over is not None else self._attempt.outcome
        judged = outcome in ("answered", "interrupted")
        answers = self._auditor.answers
        self._run.note(
            replace(
                self._attempt,
                outcome=outcome,
                usage=self._attempt.usage or estimated_usage(self._run.conversation, answers),
                seconds=self._attempt.seconds or self._run.clock() - self._started,
                verdict=self._auditor.verdict if judged else None,
                excerpt=excerpt(answers),
                answers=answers,
            )
        )

    def resume(self) -> list[Chunk]:
        """Give what is held of an answer for which no other came."""
        self.over = None
        return self._act(self._auditor.resume())

    def _opening_due(self) -> float | None:
        seconds = self._rules.settings.opening.seconds
        if seconds is None or self._expired or self._said_since is None or not self._auditor.opening:
            return None
        return self._said_since + seconds

    def _held_due(self) -> float | None:
        seconds = self._rules.settings.held.seconds
        return None if seconds is None or self._held_since is None else self._held_since + seconds

    def _act(self, events: list[Release | Interrupt]) -> list[Chunk]:
        """Turn the auditor's findings into chunks that leave; a flag lets everything pass from here on."""
        ready: list[Chunk] = []
        for event in events:
            if isinstance(event, Release):
                ready += event.chunks
                continue
            decision = self._decide(event)
            if isinstance(decision, Deliver | Flag):
                self.flag = decision if isinstance(decision, Flag) else None
                ready += self._act(self._auditor.resume())
            else:
                self.over = decision
                break
        self._note_held(ready)
        return self._after_head(ready)

    def _decide(self, event: Interrupt) -> Deliver | Flag | Reroute | Block | Stop | Amend:
        decision = decide(
            event.verdict,
            rungs_left=self._run.may_reroute(self._step),
            released=event.released,
            after_release=self._after_release(),
        )
        last = decision == Flag("no_rung_left") or (event.verdict.action is Action.REROUTE and decision == Block())
        if last and self._amending:
            return Reroute()
        kept = self._run.kept
        outdone = kept is not None and rank(kept) <= rank(event.verdict)
        return Reroute() if outdone and decision == Flag("no_rung_left") else decision

    def _after_release(self) -> AfterRelease:
        """Ask the rules; what nothing can follow is stopped instead of amended, and so is half of a JSON document."""
        said = self._rules.after_release(self._run.policy, self._auditor.topics)
        format_ = self._run.request.body.get("response_format")
        structured = isinstance(format_, dict) and format_.get("type") in ("json_object", "json_schema")
        return "stop" if said == "amend" and (self._rigid or structured) else said

    def _after_head(self, ready: list[Chunk]) -> list[Chunk]:
        """Keep what comes before the first text: until then another upstream can still begin the stream anew."""
        if self._spoken:
            return ready
        self._head += ready
        if not any(fragments_of(chunk) or finish_reasons_of(chunk) for chunk in ready):
            return []
        self._spoken = True
        self._note_first()
        return self._head

    def _note_first(self) -> None:
        """Note how long the first text was held: until it leaves, or the attempt is over without that."""
        if self._said_since is not None:
            self._attempt = replace(self._attempt, held=self._run.clock() - self._said_since)

    def _note_held(self, ready: list[Chunk]) -> None:
        if not self._auditor.held:
            self._held_since = None
        elif ready or self._held_since is None:
            self._held_since = self._run.clock()
        self._rigid = self._rigid or any(map(self._is_rigid, ready))

    def _is_rigid(self, chunk: Chunk) -> bool:
        """Tell whether nothing can follow what a chunk says: part of a call, or the end of one choice of several."""
        if self._run.request.n > 1 and finish_reasons_of(chunk):
            return True
        return any((choice.get("delta") or {}).get("tool_calls") for choice in chunk.get("choices") or ())

    def _timed(self, work: Callable[[], T]) -> T:
        found, seconds = timed(work)
        self._attempt = replace(self._attempt, audit_seconds=self._attempt.audit_seconds + seconds)
        return found
