"""Whether to think before an answer, and how hard: read out of a request, for the variables of a chat template."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

from glasnost.errors import InvalidRequest

EFFORTS = ("none", "minimal", "low", "medium", "high")
#: The names under which templates have a switch for thinking.
SWITCHES = ("enable_thinking", "thinking")


@dataclass(frozen=True, slots=True)
class Wish:
    """What a client wants: the variables for the template, and `thinking`, None when it did not say."""

    variables: Mapping[str, Any]
    thinking: bool | None


def parse_wish(body: Mapping[str, Any], known: AbstractSet[str]) -> Wish:
    """Read the fields on thinking for a template that reads the variables `known`; InvalidRequest names a wrong one.

    What is said in `chat_template_kwargs` comes before `enable_thinking` and `thinking`, and these before
    `reasoning_effort`, of which "none" switches thinking off and the others on. A switch reaches the template under
    the name that it knows.
    """
    given = _variables(body.get("chat_template_kwargs"))
    effort = _effort(body.get("reasoning_effort"))
    said = [_switch(given.get(name), f"chat_template_kwargs.{name}") for name in SWITCHES]
    said += [_switch(body.get(name), name) for name in SWITCHES]
    said.append(None if effort is None else effort != "none")
    thinking = next((each for each in said if each is not None), None)
    efforts = {} if effort is None else {"reasoning_effort": effort}
    switches = {} if thinking is None else dict.fromkeys(SWITCHES, thinking)
    ours = {name: value for name, value in {**efforts, **given, **switches}.items() if name in known}
    return Wish({**given, **ours}, thinking)


def _variables(value: Any) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _invalid("chat_template_kwargs", "must be an object")
    return value


def _effort(value: Any) -> str | None:
    if value is not None and value not in EFFORTS:
        raise _invalid("reasoning_effort", f"must be one of {', '.join(EFFORTS)}")
    return None if value is None else str(value)


def _switch(value: Any, name: str) -> bool | None:
    if isinstance(value, dict) and value.get("type") in ("enabled", "disabled"):
        return bool(value["type"] == "enabled")
    if value is not None and not isinstance(value, bool):
        raise _invalid(name, 'must be true, false, or {"type": "enabled"} or {"type": "disabled"}')
    return value


def _invalid(name: str, problem: str) -> InvalidRequest:
    return InvalidRequest(f"`{name}` {problem}.", param=name)
