"""A script as values: what a scripted upstream answers to which request; text in, `Script` or every problem out.

rules:                                  # the first rule whose `when` fits the request answers it
  - when: {contains: Tiananmen}         # all conditions that stand here must hold; none fits every request
    text: I cannot discuss that topic.
    split: 4                            # characters of a chunk; without it, a text is one chunk
  - when: {call: 3}                     # the third call of this upstream
    fault: {status: 429, error: {message: Slow down.}, retry_after: 2}
  - when: {model: m, system: facts}     # a system message holds this text
    reasoning: The user wants facts.
    chunks: [Troops fired, " on unarmed people."]
    finish_reason: stop
    usage: {prompt_tokens: 9, completion_tokens: 7, total_tokens: 16}
    first_delay: 0.5                    # seconds before the first chunk
    delay: 0.02                         # and before each of the others
    fault: {cut_after: 1}               # chunks, then the connection is cut; `hang_after` says nothing more
  - tool_calls: [{name: lookup, arguments: '{"q": "x"}'}]
    finish_reason: tool_calls
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, field_validator, model_validator

from glasnost import document
from glasnost.config import problems_of
from glasnost.errors import ConfigError
from glasnost.wire.chat import ChatRequest

Seconds = Annotated[float, Field(ge=0, le=86_400, allow_inf_nan=False)]
Nth = Annotated[int, Field(ge=1)]


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class When(_Value):
    """The conditions of a rule; `contains` and `matches` (a regular expression) look at the last user turn."""

    model: str | None = None
    contains: str | None = None
    matches: str | None = None
    system: str | None = None
    call: Nth | None = None

    @field_validator("matches")
    @classmethod
    def _compiles(cls, value: str | None) -> str | None:
        try:
            re.compile(value or "")
        except re.error as error:
            raise ValueError(f"not a regular expression: {error}") from None
        return value

    def fits(self, request: ChatRequest, call: int) -> bool:
        """Say whether the conditions hold for `request`, which is the call of this number."""
        said = request.conversation
        system = "\n".join(turn.text for turn in said.turns if turn.role in ("system", "developer"))
        return (
            self.model in (None, request.model)
            and self.call in (None, call)
            and (self.contains or "") in said.prompt
            and (self.system or "") in system
            and re.search(self.matches or "", said.prompt) is not None
        )


class Fault(_Value):
    """What goes wrong: an error status instead of an answer, or a cut or silence after some chunks."""

    status: Annotated[int, Field(ge=400, le=599)] | None = None
    error: dict[str, Any] = Field(default_factory=dict)
    retry_after: Annotated[int, Field(ge=0)] | None = None
    cut_after: Annotated[int, Field(ge=0)] | None = None
    hang_after: Annotated[int, Field(ge=0)] | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(fault is not None for fault in (self.status, self.cut_after, self.hang_after)) != 1:
            raise ValueError("takes exactly one of status, cut_after, hang_after")
        return self


class ToolCall(_Value):
    """A call that the answer makes; `arguments` is JSON text."""

    name: str
    arguments: str = "{}"


class Rule(_Value):
    """One answer and the requests it is for."""

    when: When = When()
    text: str | None = None
    chunks: tuple[str, ...] | None = Field(default=None, strict=False)
    split: Annotated[int, Field(ge=1)] | None = None
    reasoning: str | None = None
    tool_calls: tuple[ToolCall, ...] = Field(default=(), strict=False)
    finish_reason: str = "stop"
    usage: dict[str, int] = Field(default_factory=dict)
    first_delay: Seconds = 0.0
    delay: Seconds = 0.0
    fault: Fault | None = None

    @model_validator(mode="after")
    def _one_text(self) -> Self:
        if self.text is not None and self.chunks is not None:
            raise ValueError("takes text or chunks, not both")
        return self

    @property
    def pieces(self) -> tuple[str, ...]:
        """The content, chunk by chunk."""
        if self.chunks is not None:
            return self.chunks
        text = self.text or ""
        step = self.split or max(1, len(text))
        return tuple(text[at : at + step] for at in range(0, len(text), step))


class Script(_Value):
    """All rules, in the order in which they are tried."""

    rules: tuple[Rule, ...] = Field(strict=False, min_length=1)

    def rule_for(self, request: ChatRequest, call: int) -> Rule | None:
        """Find the first rule that fits."""
        return next((rule for rule in self.rules if rule.when.fits(request, call)), None)


_SCRIPT = TypeAdapter(Script)


def parse_script(text: str, source: str) -> Script:
    """Read a script; raises ConfigError with every problem."""
    parsed = document.parse(text)
    if parsed.problems:
        raise ConfigError(source, list(parsed.problems))
    try:
        return _SCRIPT.validate_python(parsed.value)
    except ValidationError as error:
        raise ConfigError(source, problems_of(error, parsed)) from None
