"""What every driver in Python shares: the scenarios' questions, and running them all into one JSON object."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

CHAT = "What is the capital of France?"
TOOL = "How is the weather?"
JSON = "Answer as JSON."
LONG = "Please be long."
THINK = "Please think."
BREAK = "Please break."
HANG = "Please hang."

PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOLS = [{"type": "function", "function": {"name": "look_up", "description": "Looks up.", "parameters": PARAMETERS}}]
SCHEMA = {"name": "place", "schema": {**PARAMETERS, "additionalProperties": False}, "strict": True}

#: What an error scenario asks, and with which key and model.
ERRORS = {"error_401": ("sk-wrong", "asked"), "error_404": (None, "nobody"), "error_429": (None, "limited")}


def arguments() -> tuple[str, str]:
    """Give the gateway's address and a key."""
    return sys.argv[1], sys.argv[2]


def status_of(work: Callable[[], Any]) -> Any:
    """Give the HTTP status of the exception that the client raises, through whatever it is wrapped in."""
    try:
        work()
    except Exception as error:  # noqa: BLE001  # each client has its own
        cause: BaseException | None = error
        while cause is not None:
            for name in ("status_code", "http_status"):
                if isinstance(getattr(cause, name, None), int):
                    return getattr(cause, name)
            cause = cause.__cause__ or cause.__context__
        return repr(error)
    return "no error"


def run(scenarios: dict[str, Callable[[], Any]]) -> None:
    """Run the scenarios in order and print what each gave; an exception is told and ends none of the others."""
    results: dict[str, Any] = {}
    for name, work in scenarios.items():
        try:
            results[name] = work()
        except Exception as error:  # noqa: BLE001  # the test shows it
            results[name] = repr(error)
    print(json.dumps(results))  # noqa: T201  # the result of the program
