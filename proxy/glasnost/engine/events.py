"""What the engine tells a request while it is answered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

FinishReason = Literal["stop", "length"]


@dataclass(frozen=True, slots=True)
class TokenLogprob:
    """A chosen token's bytes and log probability, with the likeliest tokens at its place, best first."""

    piece: bytes
    logprob: float
    top: tuple[tuple[bytes, float], ...]


@dataclass(frozen=True, slots=True)
class Delta:
    """Text that one token released, which may be none, and the token's log probabilities if they were asked for."""

    choice: int
    text: str
    logprob: TokenLogprob | None = None


@dataclass(frozen=True, slots=True)
class Signals:
    """What a choice's opening of `tokens` tokens shows, as told in `opening`; probabilities, and an entropy in nats.

    `empty_thinking` says that thinking which was wanted closed with nothing in it.
    """

    choice: int
    refusal_mass: float
    refusal_by_token: tuple[float, ...]
    entropy: float
    tokens: int
    empty_thinking: bool


@dataclass(frozen=True, slots=True)
class End:
    """A choice is complete: why, how many tokens it has, and how many of the prompt's came out of the cache."""

    choice: int
    finish_reason: FinishReason
    tokens: int
    reused: int


@dataclass(frozen=True, slots=True)
class Failure:
    """The request cannot be answered; nothing follows."""

    error: Exception


#: What a request that goes well is told.
Progress = Delta | Signals | End
Event = Progress | Failure
