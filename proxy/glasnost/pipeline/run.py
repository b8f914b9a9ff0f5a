"""What is known of one exchange while it goes on: the steps left, the attempts made, the budget spent."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from glasnost.audit.audit import topics_asked
from glasnost.audit.verdict import Verdict
from glasnost.config import AfterRelease, RerouteSettings, StreamMode
from glasnost.errors import AuditFailed, GlasnostError, UpstreamUnavailable
from glasnost.pipeline.caller import Caller
from glasnost.pipeline.climb import Climb
from glasnost.pipeline.failover import Failover, upstreams_fault
from glasnost.pipeline.history import cleared
from glasnost.pipeline.ladder import Step
from glasnost.pipeline.learned import Learned
from glasnost.pipeline.opinions.opinions import Opinions, Settled
from glasnost.pipeline.race import Race, Races
from glasnost.policy.label import Action
from glasnost.policy.policy import Policy
from glasnost.record.exchange import FIRST, Attempt, Exchange, ExchangeOutcome, Recorder
from glasnost.record.tracing import Call, Trace, current_trace
from glasnost.record.tried import Place, tried_in
from glasnost.upstream.carried import carry
from glasnost.wire.answer import Answer
from glasnost.wire.chat import ChatRequest
from glasnost.wire.conversation import Conversation
from glasnost.wire.language import language_of

Clock = Callable[[], float]


def client_left() -> ExchangeOutcome:
    """Say why an exchange was cancelled where nothing but the client can end it."""
    return "client_disconnected"


@dataclass(slots=True)
class Run:
    """The state of one exchange; `complete` and `stream` drive it.

    `conversation` is what the client sent: what a rung adds is ours, and is never matched against topics. `released`
    counts the characters of the answer being read that have left, `released_before` those of answers it follows;
    `heard` are the headers that came with the answer which goes out.
    """

    id: str
    request: ChatRequest
    steps: tuple[Step, ...]
    policy: Policy
    mode: StreamMode | Literal["unary", "given"]
    limits: RerouteSettings
    recorder: Recorder
    clock: Clock
    failover: Failover = field(default_factory=Failover)
    races: Races | None = None
    caller: Caller = field(default_factory=Caller)
    learned: Learned | None = None
    opinions: Opinions | None = None
    unfinished: Callable[[], ExchangeOutcome] = client_left
    conversation: Conversation = field(init=False)
    topics: tuple[str, ...] = field(init=False)
    language: str = field(init=False)
    attempts: list[Attempt] = field(init=False, default_factory=list)
    started: float = field(init=False)
    released: int = field(init=False, default=0)
    released_before: int = field(init=False, default=0)
    first_token: float | None = field(init=False, default=None)
    race: Race | None = field(init=False, default=None)
    heard: dict[str, str] = field(init=False, default_factory=dict)
    kept: Verdict | None = field(init=False, default=None)  # of the best censored answer that can still go out
    _trace: Trace | None = field(init=False, default_factory=current_trace)
    _calls: dict[str, Call] = field(init=False, default_factory=dict)
    _climb: Climb = field(init=False)
    _running: set[tuple[str, str]] = field(init=False, default_factory=set)
    _resorted: bool = field(init=False, default=False)
    _closed: bool = field(init=False, default=False)
    _opening: Awaitable[None] | None = field(init=False, default=None)
    _retried: ChatRequest | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.started = self.clock()
        self.conversation = self.request.conversation
        self.topics = topics_asked(self.policy, self.conversation)
        self.language = language_of(self.conversation.prompt) if self.topics else ""
        if self.learned is not None and self.topics:
            self.steps = self.learned.order(self.steps, Place(self.request.model, self.topics[0], self.language))
        self._climb = Climb(self.request, self.steps, self.limits, self.failover, self.clock)

    @property
    def retried(self) -> ChatRequest:
        """The request as rungs send it: without what earlier censored answers would do to a new one."""
        if self._retried is None:
            messages = cleared(self.policy, self.request.messages, self.limits.history)
            self._retried = self.request.with_fields(messages=messages)
        return self._retried

    @property
    def rungs_left(self) -> bool:
        """Say whether another step may still be tried within the limits."""
        return self._climb.left

    def take_step(self) -> Step | None:
        """Give the next step to try, or None when the ladder or its budget is at an end."""
        return self._climb.take()

    def take_rival(self, step: Step) -> Step | None:
        """Give another model's step to ask at once with the first, where the exchange and the limits of races allow it.

        The question must touch a topic that reroutes, and text must not leave before it is judged.
        """
        if self.races is None or step.rung != FIRST or self.attempts or self.mode in ("observe", "window"):
            return None
        rerouted = any(self.policy.topic(topic).reroutes for topic in self.topics)
        if not rerouted or self.policy.asks_for_harm(self.conversation.prompt):
            return None
        found = self._climb.rival()
        if found is None or not self.races.start(self.caller.id):
            return None
        rival = self._climb.take_rival(*found)
        self.race = Race(step.key, rival.key)
        self._running = set(self.race.keys)
        return rival

    async def claim(self, step: Step) -> bool:
        """Say whether the answer of `step` is the one that goes out: of a race, the first that may leave."""
        return self.race is None or step.key not in self.race.keys or await self.race.claim(step.key)

    def may_reroute(self, step: Step) -> bool:
        """Say whether another answer can come in place of that of `step`."""
        return bool(self._running - {step.key}) or self._climb.left

    def noted_release(self, released: int) -> None:
        """Hear how many characters of the answer being read have left."""
        self.released = released
        if released and self.first_token is None:
            self.first_token = self.clock() - self.started

    def begin(self, attempt: Attempt) -> Attempt:
        """Hear that an attempt is made, before its upstream is asked; give it as it goes on."""
        if self._trace is None:
            return attempt
        call = self._trace.call(attempt, self.request.api)
        self._calls[call.id] = call
        carry(call.headers)
        return replace(attempt, call=call.id)

    def note(self, attempt: Attempt) -> None:
        """Add a finished attempt; one that was stopped because the other of a race went out stands before that."""
        key, winner = (attempt.rung, attempt.model), self.race.winner if self.race else None
        self._running.discard(key)
        place = len(self.attempts)
        if attempt.outcome == "cancelled" and winner is not None and winner != key:
            attempt = replace(attempt, outcome="outrun")
            place -= bool(self.attempts) and (self.attempts[-1].rung, self.attempts[-1].model) == winner
        self.attempts.insert(place, attempt)
        self._climb.note(attempt)
        if (call := self._calls.pop(attempt.call, None)) is not None:
            call.ended(attempt)

    def last_resort(self) -> Step | None:
        """Give, once, a step whose answer was cut for a better one that then did not come.

        Asking again costs little, since its engine still holds the prompt; the answer goes out flagged.
        """
        cut = next((attempt for attempt in self.attempts if attempt.outcome == "interrupted"), None)
        if cut is None or self._resorted:
            return None
        self._resorted = True
        return self._climb.finish(cut)

    def survives(self, error: GlasnostError, step: Step) -> bool:
        """Say whether the exchange can go on after a step failed, which only holds while nothing was released.

        A request that the first upstream calls wrong would be wrong everywhere; a rung that fails is one rung less.
        """
        return not self.released and (step.rung != FIRST or upstreams_fault(error))

    def failure(self) -> GlasnostError:
        """Give the error for an exchange of which no step gave an answer: the first that came."""
        errors = (attempt.error for attempt in self.attempts if attempt.error is not None)
        resting = f"Every upstream of {self.request.model!r} has failed and is left alone for a while."
        return next(errors, None) or UpstreamUnavailable(resting, retry_after=self._climb.retry_after())

    async def settle(self, verdict: Verdict, answers: Sequence[Answer], model: str) -> Settled:
        """Give the verdict on what `model` answered, after all second opinions that are configured."""
        if self.opinions is None:
            return Settled(verdict)
        try:
            return await self.opinions.on(self.policy, verdict, self.conversation.prompt, answers, model)
        except Exception as error:
            raise AuditFailed("The answer could not be audited, so it is not served.") from error

    def opened(self) -> None:
        """Tell the recorder that an answer is wanted; raises when none may be given."""
        self._opening = self.recorder.opened(self.exchange("served", Action.PASS, ""))

    async def confirmed(self) -> None:
        """Wait until a first byte may leave: asking for the answer and recording that it was asked for overlap."""
        if self._opening is not None:
            await self._opening
            self._opening = None

    async def closed(self, exchange: Exchange) -> None:
        """Tell the recorder, once, what became of it, and wait until the last byte may leave."""
        if not self._closed:
            self._closed = True
            if self.learned is not None:
                self.learned.learn(tried_in(exchange))
            if self._trace is not None:
                self._trace.closed(exchange)
            await self.recorder.closed(exchange)

    def action_for(self, step: Step) -> Action:
        """Give the action when the answer of `step` goes out unflagged."""
        return Action.PASS if step.rung == FIRST else Action.REROUTE

    def exchange(
        self,
        outcome: ExchangeOutcome,
        action: Action,
        served_by: str,
        verdict: Verdict | None = None,
        *,
        after_release: AfterRelease | None = None,
    ) -> Exchange:
        """Give the exchange as it stands; `verdict` is used while no attempt has one."""
        judged = next((attempt.verdict for attempt in self.attempts if attempt.verdict is not None), verdict)
        return Exchange(
            id=self.id,
            model=self.request.model,
            mode=self.mode,
            policy_hash=self.policy.hash,
            outcome=outcome,
            attempts=tuple(self.attempts),
            verdict=judged,
            topics=judged.topics if judged is not None else self.topics,
            action=action,
            served_by=served_by,
            seconds=self.clock() - self.started,
            key=self.caller.key,
            first_token=self.first_token,
            released=self.released_before + self.released,
            skipped=() if action is Action.PASS else tuple(self._climb.skipped),
            after_release=after_release,
            language=self.language,
            endpoint=self.request.api,
            conversation=self.conversation,
            upstream_headers=dict(self.heard),
            trace_id=self._trace.id if self._trace is not None else "",
        )
