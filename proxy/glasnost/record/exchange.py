"""One client request with all its attempts and the decision, as frozen values that every recorder reads."""

from __future__ import annotations

from collections.abc import Awaitable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from glasnost.audit.verdict import Verdict
from glasnost.config import AfterRelease, KeySettings
from glasnost.errors import GlasnostError
from glasnost.policy.label import Action
from glasnost.wire.answer import Answer
from glasnost.wire.conversation import Conversation

#: `outrun`: stopped because the other answer of a race went out.
AttemptOutcome = Literal["answered", "interrupted", "failed", "cancelled", "outrun"]
ExchangeOutcome = Literal["served", "blocked", "failed", "client_disconnected", "aborted_drain"]

#: What an upstream was asked for: an answer that may go out, or a translation that a rung needs on its way. The others
#: are no attempts of an exchange, and only traced.
Purpose = Literal["answer", "translation", "judgement", "embeddings"]

#: The rung of an attempt that asks what the client asked, of the model that it asked.
FIRST = "first"
EXCERPT_CHARS = 240


@dataclass(frozen=True, slots=True)
class Consultation:
    """A second opinion that was asked for: from whom, what came of it, in how many seconds, for how many tokens."""

    source: Literal["semantic", "judge"]
    model: str
    result: str
    seconds: float
    usage: dict[str, Any] | None = None

    def as_dict(self) -> dict[str, Any]:
        """Give the JSON form."""
        return {
            "source": self.source,
            "model": self.model,
            "result": self.result,
            "milliseconds": round(self.seconds * 1000),
        }


@dataclass(frozen=True, slots=True)
class Attempt:
    """One upstream call. Times are seconds on a monotonic clock; `first_token` is None when no text came.

    `held` is how long the first text of a stream waited to leave, `call` what names the attempt in its trace.
    """

    rung: str
    model: str
    upstream: str
    outcome: AttemptOutcome
    seconds: float
    first_token: float | None = None
    audit_seconds: float = 0.0
    verdict: Verdict | None = None
    error: GlasnostError | None = None
    usage: dict[str, Any] | None = None
    excerpt: str = ""
    purpose: Purpose = "answer"
    answers: tuple[Answer, ...] = ()
    consulted: tuple[Consultation, ...] = ()
    held: float | None = None
    call: str = ""

    def as_dict(self, *, explain: bool) -> dict[str, Any]:
        """Give the JSON form; the excerpt of what the model said is there only on request."""
        body: dict[str, Any] = {
            "rung": self.rung,
            "model": self.model,
            "outcome": self.outcome,
            "label": self.verdict.label.value if self.verdict else None,
            "milliseconds": round(self.seconds * 1000),
            "usage": self.usage,
        }
        if self.purpose != "answer":
            body["purpose"] = self.purpose
        if self.consulted:
            body["consulted"] = [each.as_dict() for each in self.consulted]
        if self.error is not None:
            body["error"] = self.error.code
        if explain:
            body |= {"excerpt": self.excerpt, "upstream": self.upstream}
        return body


@dataclass(frozen=True, slots=True)
class Skipped:
    """A rung that was not tried, since it could not keep what the request asks for."""

    rung: str
    model: str
    reason: str

    def as_dict(self) -> dict[str, str]:
        """Give the JSON form."""
        return {"rung": self.rung, "model": self.model, "reason": self.reason}


@dataclass(frozen=True, slots=True)
class Exchange:
    """What became of one request.

    `verdict` is that of the first answer that was audited, which is what the asked model did; `served_by` is the
    model whose answer went out, empty when none did. `after_release` says what was done about an answer that turned
    out censored when some of it had left: flagged, stopped by an error, or followed by another answer. `language` is
    that of a question on a topic, `trace_id` the trace that shows it, empty where none does.
    """

    id: str
    model: str
    mode: str
    policy_hash: str
    outcome: ExchangeOutcome
    attempts: tuple[Attempt, ...]
    verdict: Verdict | None
    topics: tuple[str, ...]
    action: Action
    served_by: str
    seconds: float
    first_token: float | None = None
    released: int = 0
    skipped: tuple[Skipped, ...] = ()
    language: str = ""
    after_release: AfterRelease | None = None
    endpoint: str = "chat"
    conversation: Conversation = field(default_factory=lambda: Conversation(()))
    key: KeySettings | None = None
    upstream_headers: Mapping[str, str] = field(default_factory=dict)
    trace_id: str = ""

    def as_dict(self, *, explain: bool = False) -> dict[str, Any]:
        """Give the `glasnost` object of an answer."""
        verdict = (
            self.verdict.as_dict() if self.verdict else {"label": None, "topics": list(self.topics), "evidence": []}
        )
        late = {} if self.after_release is None else {"after_release": self.after_release}
        body = {
            **verdict,
            **late,
            "id": self.id,
            "model": self.model,
            "action": self.action.value,
            "served_by": self.served_by,
            "mode": self.mode,
            "policy": self.policy_hash,
            "attempts": [attempt.as_dict(explain=explain) for attempt in self.attempts],
        }
        if self.skipped:
            body["skipped"] = [each.as_dict() for each in self.skipped]
        return body

    def headers(self) -> dict[str, str]:
        """Give the `x-glasnost-*` headers, and the upstream's that `upstream.heard` passes on, under other names.

        Every value of ours comes from the configuration, the packs or ourselves.
        """
        headers = {
            **self.upstream_headers,
            "x-glasnost-id": self.id,
            "x-glasnost-action": self.action.value,
            "x-glasnost-served-by": self.served_by,
            "x-glasnost-policy": self.policy_hash,
        }
        if self.topics:
            headers["x-glasnost-topics"] = ",".join(self.topics)
        if self.verdict is not None:
            headers["x-glasnost-verdict"] = self.verdict.label.value
        return headers


class Done:
    """What a recorder gives back that is never to be waited for."""

    def __await__(self) -> Generator[None]:
        """Go on at once."""
        yield from ()


class Recorder(Protocol):
    """Takes note of exchanges; what is raised, at once or by the wait, refuses the exchange.

    An exchange is handed over by the call itself, so that its end is noted even where nobody can wait any more. The
    wait is for the note to be kept for good; `closed` has to wait for what `opened` had to, and fails if that did.
    """

    def opened(self, exchange: Exchange) -> Awaitable[None]:
        """Note an exchange; to be waited for before the first byte of its answer leaves."""
        ...

    def closed(self, exchange: Exchange) -> Awaitable[None]:
        """Note an exchange that is over; to be waited for before the last byte leaves."""
        ...
