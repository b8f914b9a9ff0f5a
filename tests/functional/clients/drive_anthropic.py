"""Drives Anthropic's own client at `/v1/messages`."""

from __future__ import annotations

import anthropic
from driver import BREAK, CHAT, ERRORS, HANG, LONG, PARAMETERS, THINK, TOOL, arguments, run, status_of

url, key = arguments()
client = anthropic.Anthropic(base_url=url, api_key=key, timeout=30, max_retries=2)
TOOLS = [{"name": "look_up", "description": "Looks up.", "input_schema": PARAMETERS}]
#: What a chat's reasons to end are called there.
REASONS = {"end_turn": "stop", "tool_use": "tool_calls", "max_tokens": "length"}


def fields(prompt, **more):
    return {"model": "asked", "max_tokens": 99, "messages": [{"role": "user", "content": prompt}], **more}


def whole(prompt, **more):
    return client.messages.create(**fields(prompt, **more))


def streamed(prompt, **more):
    with client.messages.stream(**fields(prompt, **more)) as events:
        return events.get_final_message()


def told(message):
    usage = message.usage
    text = "".join(block.text for block in message.content if block.type == "text")
    total = usage.input_tokens + usage.output_tokens
    return {"text": text, "finish": REASONS[message.stop_reason], "total": total}


def called(message):
    (call,) = (block for block in message.content if block.type == "tool_use")
    return {"name": call.name, "arguments": call.input, "finish": REASONS[message.stop_reason]}


def thought(message):
    return "".join(block.thinking for block in message.content if block.type == "thinking")


def length():
    answer = told(whole(LONG, max_tokens=3, stop_sequences=["END"]))
    return {"text": answer["text"], "finish": answer["finish"]}


def error(name):
    given, model = ERRORS[name]
    other = client.with_options(api_key=given or key)
    return status_of(lambda: other.messages.create(**fields(CHAT, model=model)))


def mid_stream():
    text = ""
    try:
        with client.messages.stream(**fields(BREAK)) as events:
            for part in events.text_stream:
                text += part
    except anthropic.APIError:
        return text
    return "no error"


def abort():
    with client.messages.stream(**fields(HANG)) as events:
        return next(iter(events.text_stream))


run(
    {
        "chat": lambda: told(whole(CHAT)),
        "stream_usage": lambda: told(streamed(CHAT)),
        "tool": lambda: called(whole(TOOL, tools=TOOLS)),
        "tool_stream": lambda: called(streamed(TOOL, tools=TOOLS)),
        "length": length,
        "reasoning": lambda: [thought(whole(THINK)), thought(streamed(THINK))],
        **{name: lambda name=name: error(name) for name in ERRORS},
        "mid_stream": mid_stream,
        "abort": abort,
    }
)
