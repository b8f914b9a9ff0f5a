"""What the hooks of all gateways come to: a conversation that is to be answered, or an answer that is to be judged."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a hook. `messages` None says that a gateway does not tell, with the answer, what was asked.

    `exchange` is what the calls before and after one answer have in common, empty where nothing is.
    """

    messages: list[Body] | None
    choices: list[Body] = field(default_factory=list)
    answered: bool = False
    model: str = ""
    exchange: str = ""


@dataclass(frozen=True, slots=True)
class Hook:
    """The hook of one gateway: its name in metrics, how a call is read, and what it is told.

    `reply` takes the `glasnost` object of an answer that was judged, or None for a question, which only its answer can
    make one to judge.
    """

    name: str
    read: Callable[[Body], Call]
    reply: Callable[[Body | None], dict[str, Any]]


def reason(glasnost: Body) -> str:
    """Say in one sentence why an answer is withheld."""
    return f"The answer was withheld by policy: {glasnost['label']} on {', '.join(glasnost['topics']) or 'no topic'}."


def withheld(glasnost: Body) -> bool:
    """Say whether policy withholds the answer."""
    return bool(glasnost["action"] == "block")
