"""Every error that Glasnost raises; each class knows its HTTP status, its code and whose fault it is.

GlasnostError
├── RequestError             the client's fault
│   ├── InvalidRequest       400
│   │   └── ContextLengthExceeded
│   ├── Unauthenticated      401
│   ├── Forbidden            403
│   ├── NotFound             404
│   │   └── ModelNotFound
│   ├── MethodNotAllowed     405
│   ├── RequestTimeout       408
│   ├── PayloadTooLarge      413
│   ├── UnsupportedMedia     415
│   ├── MisdirectedRequest   421
│   ├── QueueFull            429, with Retry-After
│   └── RateLimited          429, a key has used up what it may
├── UpstreamError            502, an upstream's fault
│   ├── UpstreamRejected     the status that the upstream sent, body kept
│   ├── UpstreamUnavailable  503, with Retry-After
│   ├── UpstreamTimeout      504, names the phase
│   └── RungFailed           a rung of the ladder came to nothing, of which no upstream is to blame
├── AuditFailed              500, ours: nothing unaudited is served
├── AnswerStopped            ends a stream of which something had left, when it turned out censored
├── AuditUnavailable         503, ours: nothing that cannot be recorded is served
├── Overloaded               503, with Retry-After
│   └── Stopping             the gateway is shutting down
├── DocumentError            a YAML document: every problem with its path and line
│   ├── ConfigError          the configuration
│   └── PolicyError          a topic file
├── LedgerError              the ledger cannot be opened, read or believed
└── ModelFileError           a model's file cannot be had or is not what it claims to be
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

Source = Literal["client", "glasnost", "upstream"]


class GlasnostError(Exception):
    """The root: `str(error)` is one sentence that is safe to show to a client."""

    status: int = 500
    type: ClassVar[str] = "server_error"
    code: str | None = None
    src: ClassVar[Source] = "glasnost"

    def __init__(
        self,
        message: str,
        *,
        param: str | None = None,
        code: str | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message)
        self.param = param
        self.retry_after = retry_after
        if code is not None:
            self.code = code


class RequestError(GlasnostError):
    """The request cannot be served as it is."""

    status = 400
    type = "invalid_request_error"
    src = "client"


class InvalidRequest(RequestError):
    """A field is missing, has the wrong type or is out of range; `param` names it."""

    code = "invalid_value"


class ContextLengthExceeded(InvalidRequest):
    """Prompt and `max_tokens` do not fit into the model's context."""

    code = "context_length_exceeded"


class Unauthenticated(RequestError):
    """No key, or not one of ours; the message is the same in both cases."""

    status = 401
    type = "authentication_error"
    code = "invalid_api_key"


class Forbidden(RequestError):
    """The key is known but may not do this."""

    status = 403
    type = "permission_error"
    code = "forbidden"


class NotFound(RequestError):
    """No such path."""

    status = 404
    code = "not_found"


class ModelNotFound(NotFound):
    """No such model in the configuration."""

    code = "model_not_found"


class MethodNotAllowed(RequestError):
    """The path exists, for another method."""

    status = 405
    code = "method_not_allowed"


class RequestTimeout(RequestError):
    """The request's body did not arrive in time."""

    status = 408
    code = "request_timeout"


class PayloadTooLarge(RequestError):
    """The body is larger than the configured limit."""

    status = 413
    code = "payload_too_large"


class UnsupportedMedia(RequestError):
    """The body is not JSON, or is compressed."""

    status = 415
    code = "unsupported_media_type"


class MisdirectedRequest(RequestError):
    """The Host header names a host that this server does not answer for."""

    status = 421
    code = "bad_host"


class QueueFull(RequestError):
    """Every slot and every place of the queue is taken."""

    status = 429
    type = "rate_limit_error"
    code = "queue_full"


class RateLimited(RequestError):
    """A key has used up what it may use for now."""

    status = 429
    type = "rate_limit_error"
    code = "rate_limit_exceeded"


class UpstreamError(GlasnostError):
    """An upstream answered with something that is no answer."""

    status = 502
    type = "upstream_error"
    code = "upstream_error"
    src = "upstream"


class UpstreamRejected(UpstreamError):
    """The upstream refused the request: its status, its error object and the headers that SDKs read are passed on."""

    def __init__(
        self,
        message: str,
        *,
        status: int,
        error: dict[str, Any] | None = None,
        retry_after: int | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message, retry_after=retry_after)
        self.headers = headers or {}
        self.status = status
        self.error = error or {}


class UpstreamUnavailable(UpstreamError):
    """The upstream cannot be reached, or went away while it answered."""

    status = 503
    code = "upstream_unavailable"


TimeoutPhase = Literal["connect", "ttft", "idle", "total"]


class UpstreamTimeout(UpstreamError):
    """The upstream was too slow in one phase of the exchange."""

    status = 504
    code = "timeout"

    def __init__(self, message: str, *, phase: TimeoutPhase) -> None:
        super().__init__(message, code="upstream_idle_timeout" if phase == "idle" else None)
        self.phase = phase


class RungFailed(UpstreamError):
    """A rung took longer than it may, or a step on its way did not give what it needs; the upstream itself works."""

    code = "rung_failed"


class AuditFailed(GlasnostError):
    """The auditor could not judge the answer, so the answer is not served."""

    code = "audit_failed"


class AnswerStopped(GlasnostError):
    """The stream ends here: it turned out censored after some of it had left. `glasnost` is the exchange as JSON."""

    type = "content_filter"
    code = "answer_stopped"

    def __init__(self, glasnost: dict[str, Any]) -> None:
        super().__init__("The answer was stopped by policy: it turned out censored after its beginning had been sent.")
        self.glasnost = glasnost


class AuditUnavailable(GlasnostError):
    """The ledger cannot take a record of the exchange now, so the exchange does not take place."""

    status = 503
    code = "audit_unavailable"


class Overloaded(GlasnostError):
    """Too many requests at once for this process."""

    status = 503
    type = "overloaded_error"
    code = "overloaded"


class Stopping(Overloaded):
    """This process is shutting down, and what still runs is ended."""

    code = "stopping"

    def __init__(self) -> None:
        super().__init__("This server is shutting down; try again.", retry_after=1)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in a document: `path` as in `models.qwen.ladder[0]`, `line` from 1, 0 when unknown."""

    path: str
    message: str
    line: int = 0

    def __str__(self) -> str:
        """Render as `path (line N): message`."""
        place = f"{self.path or 'document'}" + (f" (line {self.line})" if self.line else "")
        return f"{place}: {self.message}"


class DocumentError(GlasnostError):
    """A YAML document is wrong; `problems` holds everything found, not only the first."""

    def __init__(self, source: str, problems: list[Problem]) -> None:
        count = f"{len(problems)} problem{'s' if len(problems) != 1 else ''}"
        super().__init__(f"{source}: {count}\n" + "\n".join(f"  {problem}" for problem in problems))
        self.source = source
        self.problems = problems


class ConfigError(DocumentError):
    """The configuration cannot be used."""


class PolicyError(DocumentError):
    """A topic file cannot be used."""


class LedgerError(GlasnostError):
    """The ledger cannot be opened or read, or what was asked for is not in it."""


class ModelFileError(GlasnostError):
    """A model's file cannot be fetched, verified or loaded."""
