"""Drives openai-python, of whichever version runs this."""

from __future__ import annotations

import json

import openai
from driver import BREAK, CHAT, ERRORS, HANG, JSON, LONG, SCHEMA, THINK, TOOL, TOOLS, arguments, run, status_of

url, key = arguments()
client = openai.OpenAI(base_url=f"{url}/v1", api_key=key, timeout=30)


def ask(prompt, **fields):
    return client.chat.completions.create(model="asked", messages=[{"role": "user", "content": prompt}], **fields)


def chat():
    completion = ask(CHAT)
    choice = completion.choices[0]
    return {"text": choice.message.content, "finish": choice.finish_reason, "total": completion.usage.total_tokens}


def stream(**fields):
    chunks = list(ask(CHAT, stream=True, **fields))
    choices = [chunk.choices[0] for chunk in chunks if chunk.choices]
    text = "".join(choice.delta.content or "" for choice in choices)
    total = chunks[-1].usage.total_tokens if chunks[-1].usage else None
    return {"text": text, "finish": choices[-1].finish_reason, "total": total}


def tool():
    choice = ask(TOOL, tools=TOOLS).choices[0]
    call = choice.message.tool_calls[0].function
    return {"name": call.name, "arguments": json.loads(call.arguments), "finish": choice.finish_reason}


def tool_stream():
    with client.chat.completions.stream(
        model="asked", messages=[{"role": "user", "content": TOOL}], tools=TOOLS
    ) as events:
        choice = events.get_final_completion().choices[0]
    call = choice.message.tool_calls[0].function
    return {"name": call.name, "arguments": json.loads(call.arguments), "finish": choice.finish_reason}


def json_schema():
    answer = ask(JSON, response_format={"type": "json_schema", "json_schema": SCHEMA})
    return json.loads(answer.choices[0].message.content)


def two():
    texts = ["", ""]
    for chunk in ask(CHAT, n=2, stream=True):
        for choice in chunk.choices:
            texts[choice.index] += choice.delta.content or ""
    return [[choice.message.content for choice in ask(CHAT, n=2).choices], texts]


def length():
    choice = ask(LONG, max_tokens=3, stop=["\n"]).choices[0]
    return {"text": choice.message.content, "finish": choice.finish_reason}


def logprobs():
    whole = ask(CHAT, logprobs=True, top_logprobs=1).choices[0].logprobs.content
    choices = [choice for chunk in ask(CHAT, logprobs=True, stream=True) for choice in chunk.choices]
    parts = [token for choice in choices if choice.logprobs for token in choice.logprobs.content]
    return ["".join(token.token for token in tokens) for tokens in (whole, parts)]


def reasoning():
    message = ask(THINK).choices[0].message
    parts = [getattr(c.choices[0].delta, "reasoning_content", None) or "" for c in ask(THINK, stream=True) if c.choices]
    return [message.reasoning_content, "".join(parts)]


def error(name):
    given, model = ERRORS[name]
    other = client.with_options(api_key=given or key)
    messages = [{"role": "user", "content": CHAT}]
    return status_of(lambda: other.chat.completions.create(model=model, messages=messages))


def mid_stream():
    text = ""
    try:
        for chunk in ask(BREAK, stream=True):
            text += chunk.choices[0].delta.content or "" if chunk.choices else ""
    except openai.APIError:
        return text
    return "no error"


def abort():
    with ask(HANG, stream=True) as chunks:
        return next(chunk.choices[0].delta.content for chunk in chunks if chunk.choices[0].delta.content)


run(
    {
        "chat": chat,
        "stream": stream,
        "stream_usage": lambda: stream(stream_options={"include_usage": True}),
        "tool": tool,
        "tool_stream": tool_stream,
        "json_schema": json_schema,
        "n": two,
        "length": length,
        "logprobs": logprobs,
        "reasoning": reasoning,
        **{name: lambda name=name: error(name) for name in ERRORS},
        "mid_stream": mid_stream,
        "abort": abort,
    }
)
