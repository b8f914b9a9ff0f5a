"""Drives `llm`, by the class that its own list of OpenAI-compatible models makes."""

from __future__ import annotations

import json

import llm
from driver import BREAK, CHAT, ERRORS, HANG, JSON, PARAMETERS, TOOL, arguments, run, status_of
from llm.default_plugins.openai_models import Chat

url, key = arguments()


def prompt(text, name="asked", given=key, *, stream=False, **fields):
    model = Chat(name, model_name=name, api_base=f"{url}/v1", supports_tools=True, supports_schema=True)
    return model.prompt(text, key=given, stream=stream, **fields)


def told(response):
    text = response.text()
    usage = response.usage()
    total = (usage.input or 0) + (usage.output or 0) if usage.input is not None else None
    return {"text": text, "finish": _finish(response), "total": total}


def _finish(response):
    found = response.response_json or {}
    choices = found.get("choices") or [found]
    return choices[0].get("finish_reason") or found.get("finish_reason")


def look_up(city: str) -> str:
    """Looks up."""
    return city


def called(*, stream):
    response = prompt(TOOL, stream=stream, tools=[llm.Tool.function(look_up)])
    response.text()
    (call,) = response.tool_calls()
    return {"name": call.name, "arguments": call.arguments, "finish": _finish(response)}


def error(name):
    given, model = ERRORS[name]
    return status_of(lambda: prompt(CHAT, model, given or key).text())


def mid_stream():
    text = ""
    try:
        for part in prompt(BREAK, stream=True):
            text += part
    except Exception:  # noqa: BLE001  # that one is raised is what is asked
        return text
    return "no error"


def abort():
    parts = iter(prompt(HANG, stream=True))
    text = next(part for part in parts if part)
    parts.close()
    return text


run(
    {
        "chat": lambda: told(prompt(CHAT)),
        "stream_usage": lambda: told(prompt(CHAT, stream=True)),
        "tool": lambda: called(stream=False),
        "tool_stream": lambda: called(stream=True),
        "json_schema": lambda: json.loads(prompt(JSON, schema=PARAMETERS).text()),
        **{name: lambda name=name: error(name) for name in ERRORS},
        "mid_stream": mid_stream,
        "abort": abort,
    }
)
