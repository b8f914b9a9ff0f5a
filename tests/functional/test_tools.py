"""Calls of tools on their way from a real engine through the audit to the official client."""

import json

import pytest

from running import serve

pytestmark = [pytest.mark.model, pytest.mark.usefixtures("qwen_path", "smollm_path")]

SEARCH = {
    "type": "function",
    "function": {
        "name": "search",
        "description": "Search the web",
        "parameters": {"type": "object", "properties": {"pages": {"type": "integer"}}, "required": ["pages"]},
    },
}
ONLY = {"type": "function", "function": {"name": "search"}}


@pytest.fixture(scope="module")
def server():
    with serve() as each:
        yield each


def ask(server, prompt, **options):
    options = {"temperature": 0, "max_tokens": 60, "tools": [SEARCH], "tool_choice": ONLY, **options}
    messages = [{"role": "user", "content": prompt}]
    return server.openai().chat.completions.create(model="qwen2.5-coder-0.5b", messages=messages, **options)


def streamed(server, prompt):
    """Give the names, the joined arguments, why it ended, and what Glasnost says."""
    chunks = list(ask(server, prompt, stream=True))
    choices = [chunk.choices[0] for chunk in chunks if chunk.choices]
    functions = [call.function for choice in choices for call in choice.delta.tool_calls or ()]
    [reason] = [choice.finish_reason for choice in choices if choice.finish_reason]
    names = [function.name for function in functions if function.name]
    return names, "".join(function.arguments for function in functions), reason, chunks[-1].model_extra["glasnost"]


def test_a_call_passes_whole_and_streamed_alike(server):
    prompt = "Search the first three pages for the capital of France."
    whole = ask(server, prompt)
    [call] = whole.choices[0].message.tool_calls
    names, arguments, reason, glasnost = streamed(server, prompt)
    assert (names, arguments) == ([call.function.name], call.function.arguments)
    assert names == ["search"]
    assert set(json.loads(arguments)) == {"pages"}
    assert reason == whole.choices[0].finish_reason == "tool_calls"
    assert glasnost["action"] == whole.model_extra["glasnost"]["action"] == "pass"


def test_a_call_on_a_topic_is_judged_and_still_a_call(server):
    names, arguments, reason, glasnost = streamed(server, "Search for what happened at Tiananmen Square in 1989.")
    assert glasnost["topics"] == ["prc.tiananmen-1989"]
    assert glasnost["label"]
    assert (names, reason) == (["search"], "tool_calls")
    assert set(json.loads(arguments)) == {"pages"}
