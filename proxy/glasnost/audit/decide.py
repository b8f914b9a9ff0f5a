"""From a verdict to what happens to the answer: pure, because the path of a request must be readable as a table.

| action of the verdict | nothing released, rungs left | nothing released, none left | something released |
|---|---|---|---|
| pass    | Deliver | Deliver | Deliver |
| flag    | Flag    | Flag    | Flag    |
| reroute | Reroute | Flag, or Block | Flag, Stop, or Amend |
| block   | Block   | Block   | Block   |

Of several, `otherwise` of the topics and `after_release` say which; an Amend without a rung left is a Flag.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from glasnost.audit.verdict import Verdict
from glasnost.config import AfterRelease
from glasnost.policy.label import Action

FlagReason = Literal["policy", "no_rung_left", "already_released"]


@dataclass(frozen=True, slots=True)
class Deliver:
    """Serve the answer as it is."""


@dataclass(frozen=True, slots=True)
class Flag:
    """Serve the answer, marked with its verdict; `reason` says why it was not replaced."""

    reason: FlagReason


@dataclass(frozen=True, slots=True)
class Reroute:
    """Try the next rung of the ladder."""


@dataclass(frozen=True, slots=True)
class Block:
    """Serve no more of the answer; it ends as filtered."""


@dataclass(frozen=True, slots=True)
class Stop:
    """End the stream with an error: what has left was the beginning of a censored answer."""


@dataclass(frozen=True, slots=True)
class Amend:
    """Let the answer of the next rung follow what has left, behind a separator that readers see."""


Decision = Deliver | Flag | Reroute | Block | Stop | Amend


def decide(verdict: Verdict, *, rungs_left: bool, released: int, after_release: AfterRelease = "flag") -> Decision:
    """Say what happens to an answer of which `released` characters have already left."""
    if verdict.action is Action.BLOCK:
        return Block()
    if verdict.action is Action.FLAG:
        return Flag("policy")
    if verdict.action is Action.PASS:
        return Deliver()
    if released:
        return _late(after_release, rungs_left=rungs_left)
    if rungs_left:
        return Reroute()
    return Block() if verdict.otherwise is Action.BLOCK else Flag("no_rung_left")


def _late(after_release: AfterRelease, *, rungs_left: bool) -> Flag | Stop | Amend:
    if after_release == "stop":
        return Stop()
    return Amend() if after_release == "amend" and rungs_left else Flag("already_released")
