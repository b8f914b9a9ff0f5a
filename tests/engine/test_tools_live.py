"""Tools on a real model, as the official client sees them."""

from __future__ import annotations

import json

import openai
import pytest

from engine_process import run_engine

pytestmark = pytest.mark.model

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The current weather of a city",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "unit": {"enum": ["celsius", "fahrenheit"]}},
            "required": ["city", "unit"],
            "additionalProperties": False,
        },
    },
}
TIME = {
    "type": "function",
    "function": {
        "name": "get_time",
        "description": "The time of day in a city",
        "parameters": {
            "type": "object",
            "properties": {"zone": {"type": "integer"}},
            "required": ["zone"],
            "additionalProperties": False,
        },
    },
}
RAIN = [{"role": "user", "content": "What is the weather in Paris, in celsius?"}]
TIME_ONLY = {"type": "function", "function": {"name": "get_time"}}


def call(number, city):
    function = {"name": "get_weather", "arguments": json.dumps({"city": city, "unit": "celsius"})}
    return {"id": f"call_{number}", "type": "function", "function": function}


def result(number, text):
    return {"role": "tool", "tool_call_id": f"call_{number}", "content": text}


# A model of this size calls twice after it has seen how.
BOTH = [
    {"role": "user", "content": "What is the weather in Rome and in Bern?"},
    {"role": "assistant", "content": None, "tool_calls": [call(1, "Rome"), call(2, "Bern")]},
    result(1, "17 degrees, fog"),
    result(2, "9 degrees"),
    {"role": "assistant", "content": "17 degrees and fog in Rome, 9 degrees in Bern."},
    {"role": "user", "content": "What is the weather in Paris and in Oslo?"},
]


@pytest.fixture(scope="module")
def qwen(qwen_path, tmp_path_factory):
    socket = tmp_path_factory.mktemp("engine") / "engine.sock"
    with run_engine(qwen_path, socket, "--slots", "2", "--ctx", "4096") as engine:
        yield engine


def ask(engine, messages=RAIN, **options):
    options = {"model": "m", "temperature": 0, "max_tokens": 96, "tools": [WEATHER, TIME], **options}
    with engine.openai() as client:
        answer = client.chat.completions.create(messages=messages, **options)
        return list(answer) if options.get("stream") else answer.choices[0]


def calls_of(choice):
    return [(call.function.name, json.loads(call.function.arguments)) for call in choice.message.tool_calls]


def joined(chunks):
    """Give the content, the calls as (id, name, arguments), and why it ended, as a client joins them."""
    content, calls, reason = "", [], None
    for chunk in chunks:
        [choice] = chunk.choices
        content += choice.delta.content or ""
        reason = choice.finish_reason or reason
        for delta in choice.delta.tool_calls or ():
            if delta.id:
                assert delta.index == len(calls)
                calls.append([delta.id, delta.function.name, ""])
            calls[delta.index][2] += delta.function.arguments
    return content, calls, reason


def test_a_free_call_follows_the_schema(qwen):
    choice = ask(qwen)
    assert calls_of(choice) == [("get_weather", {"city": "Paris", "unit": "celsius"})]
    assert choice.finish_reason == "tool_calls"
    assert choice.message.content is None


@pytest.mark.near_tie
def test_a_streamed_call_is_the_whole_one(qwen):
    whole = ask(qwen)
    content, [[name, function, arguments]], reason = joined(ask(qwen, stream=True))
    [call] = whole.message.tool_calls
    assert (function, arguments) == (call.function.name, call.function.arguments)
    assert (content, reason) == ("", "tool_calls")
    assert name.startswith("call_")


def test_free_calls_leave_an_answer_alone(qwen):
    choice = ask(qwen, [{"role": "user", "content": "Write a haiku about the sea."}], max_tokens=24)
    assert "ea" in choice.message.content
    assert choice.message.tool_calls is None


@pytest.mark.parametrize("seed", range(4))
def test_a_required_call_is_made_whatever_is_asked(qwen, seed):
    hot = {"temperature": 1.5, "top_p": 1, "seed": seed, "extra_body": {"min_p": 0, "top_k": 0}, "max_tokens": 120}
    choice = ask(qwen, [{"role": "user", "content": "Tell a joke."}], tool_choice="required", **hot)
    assert choice.message.tool_calls
    if choice.finish_reason == "length":  # a string may go on for long when it is drawn like that
        return
    fields = {"get_weather": {"city", "unit"}, "get_time": {"zone"}}
    assert all(set(arguments) == fields[name] for name, arguments in calls_of(choice))


def test_a_named_tool_is_called_even_where_another_fits(qwen):
    [(name, arguments)] = calls_of(ask(qwen, tool_choice=TIME_ONLY))
    assert name == "get_time"
    assert set(arguments) == {"zone"}
    assert isinstance(arguments["zone"], int)


def test_several_calls_of_one_answer_have_their_own_ids_and_indexes(qwen):
    _, calls, _ = joined(ask(qwen, BOTH, stream=True))
    assert [json.loads(arguments)["city"] for _, _, arguments in calls[:2]] == ["Paris", "Oslo"]
    assert len({name for name, _, _ in calls}) == len(calls)


def test_one_call_at_most_is_one(qwen):
    choice = ask(qwen, BOTH, parallel_tool_calls=False)
    assert [arguments["city"] for _, arguments in calls_of(choice)] == ["Paris"]
    assert choice.finish_reason == "tool_calls"


def test_no_choice_is_an_answer_in_words(qwen):
    choice = ask(qwen, tool_choice="none", max_tokens=16)
    assert choice.message.tool_calls is None
    assert choice.message.content


def test_the_result_of_a_call_is_read(qwen):
    told = [
        *RAIN,
        {"role": "assistant", "content": None, "tool_calls": [call(1, "Paris")]},
        result(1, "17 degrees, fog"),
        {"role": "user", "content": "So how many degrees is it in Paris?"},
    ]
    choice = ask(qwen, told, tool_choice="none", max_tokens=32)
    assert "17" in choice.message.content
    assert choice.message.tool_calls is None


def test_a_model_whose_template_knows_no_tools_calls_them_too(smollm):
    [(name, arguments)] = calls_of(ask(smollm, tool_choice="required", parallel_tool_calls=False))
    assert name in {"get_weather", "get_time"}
    assert arguments


def test_log_probabilities_cover_the_tokens_of_a_call(qwen):
    choice = ask(qwen, logprobs=True)
    written = "".join(each.token for each in choice.logprobs.content)
    assert choice.message.tool_calls[0].function.arguments in written


def test_a_wrong_tool_is_refused_by_name(qwen):
    with pytest.raises(openai.BadRequestError) as refused:
        ask(qwen, tools=[WEATHER, TIME, {"type": "function", "function": {"name": "two words"}}])
    assert refused.value.param == "tools[2].function.name"
