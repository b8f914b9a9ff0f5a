"""Drives LlamaIndex with its class for servers that speak the OpenAI API."""

from __future__ import annotations

import json

from driver import BREAK, CHAT, ERRORS, HANG, JSON, LONG, SCHEMA, THINK, TOOL, arguments, run, status_of
from llama_index.core.llms import ChatMessage
from llama_index.core.tools import FunctionTool
from llama_index.llms.openai_like import OpenAILike

url, key = arguments()


def model(name="asked", given=key, **fields):
    return OpenAILike(
        model=name,
        api_base=f"{url}/v1",
        api_key=given,
        is_chat_model=True,
        is_function_calling_model=True,
        max_retries=2,
        timeout=30,
        **fields,
    )


def said(prompt):
    return [ChatMessage(role="user", content=prompt)]


def chat():
    answer = model().chat(said(CHAT))
    choice = answer.raw.choices[0]
    return {"text": answer.message.content, "finish": choice.finish_reason, "total": answer.raw.usage.total_tokens}


def stream(**fields):
    chunks = list(model(additional_kwargs=fields).stream_chat(said(CHAT)))
    finish = [choice.finish_reason for chunk in chunks for choice in chunk.raw.choices if choice.finish_reason]
    usage = chunks[-1].raw.usage
    return {"text": chunks[-1].message.content, "finish": finish[-1], "total": usage.total_tokens if usage else None}


def look_up(city: str) -> str:
    """Looks up."""
    return city


def called(answer, raw):
    (call,) = model().get_tool_calls_from_response(answer)
    return {"name": call.tool_name, "arguments": call.tool_kwargs, "finish": raw}


def tool():
    answer = model().chat_with_tools([FunctionTool.from_defaults(look_up)], TOOL)
    return called(answer, answer.raw.choices[0].finish_reason)


def tool_stream():
    chunks = list(model().stream_chat_with_tools([FunctionTool.from_defaults(look_up)], TOOL))
    finish = [choice.finish_reason for chunk in chunks for choice in chunk.raw.choices if choice.finish_reason]
    return called(chunks[-1], finish[-1])


def json_schema():
    shape = {"type": "json_schema", "json_schema": SCHEMA}
    return json.loads(model().chat(said(JSON), response_format=shape).message.content)


def two():
    whole = [choice.message.content for choice in model().chat(said(CHAT), n=2).raw.choices]
    texts = ["", ""]
    for chunk in model().stream_chat(said(CHAT), n=2):
        for choice in chunk.raw.choices:
            texts[choice.index] += choice.delta.content or ""
    return [whole, texts]


def length():
    answer = model(max_tokens=3).chat(said(LONG), stop=["\n"])
    return {"text": answer.message.content, "finish": answer.raw.choices[0].finish_reason}


def logprobs():
    whole = model(logprobs=True, top_logprobs=1).chat(said(CHAT)).raw.choices[0].logprobs.content
    chunks = model(logprobs=True, top_logprobs=1).stream_chat(said(CHAT))
    choices = [choice for chunk in chunks for choice in chunk.raw.choices]
    parts = [token for choice in choices if choice.logprobs for token in choice.logprobs.content]
    return ["".join(token.token for token in tokens) for tokens in (whole, parts)]


def reasoning():
    whole = model().chat(said(THINK)).raw.choices[0].message.reasoning_content
    chunks = [chunk.raw for chunk in model().stream_chat(said(THINK))]
    parts = [getattr(c.choices[0].delta, "reasoning_content", None) or "" for c in chunks if c.choices]
    return [whole, "".join(parts)]


def error(name):
    given, wanted = ERRORS[name]
    return status_of(lambda: model(wanted, given or key).chat(said(CHAT)))


def mid_stream():
    text = ""
    try:
        for chunk in model().stream_chat(said(BREAK)):
            text = chunk.message.content
    except Exception:  # noqa: BLE001  # that one is raised is what is asked
        return text
    return "no error"


def abort():
    chunks = model().stream_chat(said(HANG))
    text = next(chunk.message.content for chunk in chunks if chunk.message.content)
    chunks.close()
    return text


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
