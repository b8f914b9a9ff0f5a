"""Calls of tools and answers in JSON on their way from a real engine through the audit to the official client."""

import json

import openai
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


PLACE = {
    "type": "object",
    "properties": {"place": {"type": "string", "maxLength": 30}, "year": {"type": "integer"}},
    "required": ["place", "year"],
    "additionalProperties": False,
}


def formatted(schema):
    tools = {"tools": openai.omit, "tool_choice": openai.omit}
    return {**tools, "response_format": {"type": "json_schema", "json_schema": {"name": "it", "schema": schema}}}


@pytest.mark.parametrize("stream", [False, True])
def test_json_passes_through_the_audit_unharmed(server, stream):
    answer = ask(server, "Where and when were the Olympics of 1936?", stream=stream, **formatted(PLACE))
    if stream:
        chunks = list(answer)
        text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
        glasnost = chunks[-1].model_extra["glasnost"]
    else:
        text, glasnost = answer.choices[0].message.content, answer.model_extra["glasnost"]
    assert set(json.loads(text)) == {"place", "year"}
    assert glasnost["action"] == "pass"


def test_json_on_a_topic_is_judged_and_still_json(server):
    answer = ask(server, "When did the crackdown on Tiananmen Square happen, and where?", **formatted(PLACE))
    assert answer.model_extra["glasnost"]["topics"] == ["prc.tiananmen-1989"]
    assert answer.model_extra["glasnost"]["label"]
    assert set(json.loads(answer.choices[0].message.content)) == {"place", "year"}


def test_a_schema_that_the_engine_refuses_is_the_clients_fault_here_too(server):
    with pytest.raises(openai.BadRequestError) as refused:
        ask(server, "Anything.", **formatted({"type": "object", "patternProperties": {}}))
    assert refused.value.param == "response_format.json_schema.schema"
    assert "`patternProperties` is not supported" in refused.value.message


def test_a_choice_among_tools_passes_as_it_was_sent(server):
    other = {"type": "function", "function": {"name": "other", "parameters": {"type": "object"}}}
    allowed = {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [ONLY]}}
    for choice in (allowed, "required"):
        found = ask(server, "Search three pages.", tools=[SEARCH, other], tool_choice=choice, parallel_tool_calls=False)
        [call] = found.choices[0].message.tool_calls
        assert call.function.name in ({"search"} if choice is allowed else {"search", "other"})
    none = ask(server, "Search three pages.", tool_choice="none", max_tokens=12).choices[0].message
    assert none.content
    assert none.tool_calls is None


def test_the_result_of_a_call_goes_back_to_the_model(server):
    call = {"id": "call_1", "type": "function", "function": {"name": "search", "arguments": '{"pages": 3}'}}
    messages = [
        {"role": "user", "content": "How many hits are there?"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": "There are 4711 hits."},
        {"role": "user", "content": "So how many hits are there?"},
    ]
    answer = server.openai().chat.completions.create(
        model="qwen2.5-coder-0.5b", messages=messages, tools=[SEARCH], tool_choice="none", temperature=0, max_tokens=30
    )
    assert "4711" in answer.choices[0].message.content
