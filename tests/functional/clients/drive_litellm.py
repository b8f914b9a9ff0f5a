"""Drives LiteLLM's SDK."""

from __future__ import annotations

import json
import os

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"

import litellm
from driver import BREAK, CHAT, ERRORS, HANG, JSON, LONG, SCHEMA, THINK, TOOL, TOOLS, arguments, run, status_of

url, key = arguments()
litellm.suppress_debug_info = True


def ask(prompt, model="asked", given=key, **fields):
    return litellm.completion(
        model=f"openai/{model}",
        messages=[{"role": "user", "content": prompt}],
        api_base=f"{url}/v1",
        api_key=given,
        timeout=30,
        max_retries=2,
        _skip_mcp_handler=True,  # or tools make it import a package that it does not depend on
        **fields,
    )


def chat():
    completion = ask(CHAT)
    choice = completion.choices[0]
    return {"text": choice.message.content, "finish": choice.finish_reason, "total": completion.usage.total_tokens}


def stream(**fields):
    chunks = list(ask(CHAT, stream=True, **fields))
    choices = [chunk.choices[0] for chunk in chunks if chunk.choices]
    finish = [choice.finish_reason for choice in choices if choice.finish_reason]
    usage = getattr(chunks[-1], "usage", None)
    text = "".join(choice.delta.content or "" for choice in choices)
    return {"text": text, "finish": finish[-1], "total": usage.total_tokens if usage else None}


def called(choice):
    (call,) = choice.message.tool_calls
    arguments_ = json.loads(call.function.arguments)
    return {"name": call.function.name, "arguments": arguments_, "finish": choice.finish_reason}


def tool_stream():
    return called(litellm.stream_chunk_builder(list(ask(TOOL, tools=TOOLS, stream=True))).choices[0])


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
    found = [choice.logprobs for choice in choices if getattr(choice, "logprobs", None)]
    parts = [token for each in found for token in (each["content"] if isinstance(each, dict) else each.content)]
    names = [token["token"] if isinstance(token, dict) else token.token for token in parts]
    return ["".join(token.token for token in whole), "".join(names)]


def reasoning():
    message = ask(THINK).choices[0].message
    chunks = ask(THINK, stream=True)
    parts = [getattr(chunk.choices[0].delta, "reasoning_content", None) or "" for chunk in chunks if chunk.choices]
    return [message.reasoning_content, "".join(parts)]


def error(name):
    given, model = ERRORS[name]
    return status_of(lambda: ask(CHAT, model, given or key))


def mid_stream():
    text = ""
    try:
        for chunk in ask(BREAK, stream=True):
            text += chunk.choices[0].delta.content or ""
    except Exception:  # noqa: BLE001  # that one is raised is what is asked
        return text
    return "no error"


def abort():
    chunks = ask(HANG, stream=True)
    text = next(chunk.choices[0].delta.content for chunk in chunks if chunk.choices[0].delta.content)
    chunks.completion_stream.close()
    return text


run(
    {
        "chat": chat,
        "stream": stream,
        "stream_usage": lambda: stream(stream_options={"include_usage": True}),
        "tool": lambda: called(ask(TOOL, tools=TOOLS).choices[0]),
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
