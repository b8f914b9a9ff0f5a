"""Drives langchain-openai."""

from __future__ import annotations

from driver import BREAK, CHAT, ERRORS, HANG, JSON, LONG, PARAMETERS, TOOL, TOOLS, arguments, run, status_of
from langchain_core.messages import HumanMessage
from langchain_openai import ChatOpenAI

url, key = arguments()


def model(name="asked", given=key, **fields):
    return ChatOpenAI(base_url=f"{url}/v1", api_key=given, model=name, timeout=30, max_retries=2, **fields)


def told(message):
    usage = message.usage_metadata
    return {
        "text": message.content,
        "finish": message.response_metadata["finish_reason"],
        "total": usage["total_tokens"] if usage else None,
    }


def stream(**fields):
    whole = None
    for chunk in model(**fields).stream(CHAT):
        whole = chunk if whole is None else whole + chunk
    return told(whole)


def called(message):
    (call,) = message.tool_calls
    finish = message.response_metadata["finish_reason"]
    return {"name": call["name"], "arguments": call["args"], "finish": finish}


def tool_stream():
    whole = None
    for chunk in model().bind_tools(TOOLS).stream(TOOL):
        whole = chunk if whole is None else whole + chunk
    return called(whole)


def json_schema():
    schema = {"title": "place", "description": "A place.", **PARAMETERS}
    return model().with_structured_output(schema, method="json_schema").invoke(JSON)


def two():
    return [[each.text for each in model(n=2).generate([[HumanMessage(CHAT)]]).generations[0]]]


def length():
    answer = told(model(max_tokens=3, stop_sequences=["\n"]).invoke(LONG))
    return {"text": answer["text"], "finish": answer["finish"]}


def logprobs():
    whole = model(logprobs=True, top_logprobs=1).invoke(CHAT).response_metadata["logprobs"]["content"]
    chunks = list(model(logprobs=True).stream(CHAT))
    parts = [
        token for chunk in chunks for token in (chunk.response_metadata.get("logprobs") or {}).get("content") or ()
    ]
    return ["".join(token["token"] for token in tokens) for tokens in (whole, parts)]


def error(name):
    given, wanted = ERRORS[name]
    return status_of(lambda: model(wanted, given or key).invoke(CHAT))


def mid_stream():
    text = ""
    try:
        for chunk in model().stream(BREAK):
            text += chunk.content
    except Exception:  # noqa: BLE001  # that one is raised is what is asked
        return text
    return "no error"


def abort():
    chunks = model().stream(HANG)
    text = next(chunk.content for chunk in chunks if chunk.content)
    chunks.close()
    return text


run(
    {
        "chat": lambda: told(model().invoke(CHAT)),
        "stream": lambda: stream(stream_usage=False),
        "stream_usage": lambda: stream(stream_usage=True),
        "tool": lambda: called(model().bind_tools(TOOLS).invoke(TOOL)),
        "tool_stream": tool_stream,
        "json_schema": json_schema,
        "n": two,
        "length": length,
        "logprobs": logprobs,
        **{name: lambda name=name: error(name) for name in ERRORS},
        "mid_stream": mid_stream,
        "abort": abort,
    }
)
