"""JSON as an answer, from real models to the official client: whole, streamed, cut, and beside tools."""

from __future__ import annotations

import json

import openai
import pytest
from jsonschema import Draft202012Validator
from pydantic import BaseModel

from engine_process import run_engine

pytestmark = pytest.mark.model

PERSON = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "maxLength": 20},
        "age": {"type": "integer", "minimum": 0, "maximum": 120},
        "colour": {"enum": ["red", "green", "blue"]},
        "born": {"type": "string", "format": "date"},
        "code": {"type": "string", "pattern": "^[A-Z]{2}-[0-9]{3}$"},
        "tags": {"type": "array", "items": {"type": "string", "maxLength": 8}, "minItems": 1, "maxItems": 3},
        "friend": {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/friend"}]},
    },
    "required": ["name", "age", "colour", "born", "code", "tags", "friend"],
    "additionalProperties": False,
    "$defs": {
        "friend": {
            "type": "object",
            "properties": {"name": {"type": "string", "maxLength": 10}},
            "required": ["name"],
            "additionalProperties": False,
        }
    },
}
VALID = Draft202012Validator(PERSON)
ASKED = "Describe a person with name, age, favourite colour and friend as JSON."
JSON_OBJECT = {"type": "json_object"}
JSON_SCHEMA = {"type": "json_schema", "json_schema": {"name": "person", "schema": PERSON, "strict": True}}
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The current weather of a city",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
HOT = {"temperature": 1.2, "top_p": 1, "extra_body": {"min_p": 0, "top_k": 0}}


class Born(BaseModel):
    """What the official client makes a strict schema of."""

    name: str
    year: int
    place: str | None = None


@pytest.fixture(scope="module")
def qwen(qwen_path, tmp_path_factory):
    socket = tmp_path_factory.mktemp("engine") / "engine.sock"
    with run_engine(qwen_path, socket, "--slots", "4", "--ctx", "4096") as engine:
        yield engine


@pytest.fixture(params=["smollm", "qwen"])
def engine(request):
    return request.getfixturevalue(request.param)


def ask(engine, prompt=ASKED, **options):
    options = {"model": "m", "temperature": 0, "max_tokens": 300, "response_format": JSON_SCHEMA, **options}
    with engine.openai() as client:
        answer = client.chat.completions.create(messages=[{"role": "user", "content": prompt}], **options)
        return list(answer) if options.get("stream") else answer.choices


def joined(chunks):
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    return text, chunks[-1].choices[0].finish_reason


def test_an_answer_is_valid_under_the_schema_whole_and_streamed(engine):
    [choice] = ask(engine)
    assert choice.finish_reason == "stop"
    VALID.validate(json.loads(choice.message.content))
    text, reason = joined(ask(engine, stream=True))
    assert reason == "stop"
    VALID.validate(json.loads(text))


@pytest.mark.parametrize("seed", range(2))
def test_every_choice_that_is_drawn_freely_is_valid(engine, seed):
    for choice in ask(engine, n=2, seed=seed, **HOT):
        assert choice.finish_reason == "stop"
        VALID.validate(json.loads(choice.message.content))


@pytest.mark.parametrize(
    "options",
    [{"frequency_penalty": 1.5, "presence_penalty": 1}, {"logit_bias": {"1": 5, "2": -100}}, {"logprobs": True}],
)
def test_what_makes_tokens_more_or_less_likely_leaves_the_answer_valid(engine, options):
    [choice] = ask(engine, **options)
    VALID.validate(json.loads(choice.message.content))
    if "logprobs" in options:
        assert "".join(each.token for each in choice.logprobs.content) == choice.message.content


def test_any_object_is_one(qwen):
    [choice] = ask(qwen, response_format=JSON_OBJECT)
    assert choice.finish_reason == "stop"
    assert isinstance(json.loads(choice.message.content), dict)
    text, reason = joined(ask(qwen, stream=True, response_format=JSON_OBJECT))
    assert reason == "stop"
    assert isinstance(json.loads(text), dict)


def test_an_object_that_is_cut_says_so(engine):
    [choice] = ask(engine, max_tokens=9)
    assert choice.finish_reason == "length"
    assert choice.message.content.startswith("{")
    with pytest.raises(json.JSONDecodeError):
        json.loads(choice.message.content)


def test_text_is_text(qwen):
    [choice] = ask(qwen, "Say hello.", response_format={"type": "text"}, max_tokens=8)
    assert not choice.message.content.startswith("{")


@pytest.mark.parametrize("stream", [False, True])
def test_beside_tools_an_answer_is_a_call_or_json(qwen, stream):
    both = {"tools": [WEATHER], "stream": stream}
    call = ask(qwen, "What is the weather in Paris?", tool_choice="required", **both)
    answer = ask(qwen, tool_choice="none", **both)
    if stream:
        functions = [each.function for chunk in call for each in chunk.choices[0].delta.tool_calls or ()]
        arguments, content = "".join(function.arguments or "" for function in functions), joined(answer)[0]
    else:
        arguments, content = call[0].message.tool_calls[0].function.arguments, answer[0].message.content
    assert set(json.loads(arguments)) == {"city"}
    VALID.validate(json.loads(content))


@pytest.mark.parametrize("seed", range(4))
def test_a_free_choice_beside_tools_is_one_of_both(qwen, seed):
    [choice] = ask(qwen, "Paris?", tools=[WEATHER], seed=seed, **HOT)
    if choice.message.tool_calls:
        assert all(set(json.loads(call.function.arguments)) == {"city"} for call in choice.message.tool_calls)
        assert choice.message.content is None
    elif choice.finish_reason == "stop":
        VALID.validate(json.loads(choice.message.content))


def schema_of(**fields):
    return {"type": "json_schema", "json_schema": {"name": "it", "schema": {"type": "object"}, **fields}}


@pytest.mark.parametrize(
    ("wanted", "param"),
    [
        ("json_object", "response_format"),
        ({"type": "xml"}, "response_format.type"),
        ({"type": ["json_object"]}, "response_format.type"),
        ({}, "response_format.type"),
        ({"type": "json_schema"}, "response_format.json_schema"),
        (schema_of(name="two words"), "response_format.json_schema.name"),
        (schema_of(name=None), "response_format.json_schema.name"),
        (schema_of(schema=None), "response_format.json_schema.schema"),
        (schema_of(schema=[]), "response_format.json_schema.schema"),
        (schema_of(strict="yes"), "response_format.json_schema.strict"),
        (schema_of(schema={"type": "object", "properties": 5}), "response_format.json_schema.schema"),
    ],
)
def test_a_wrong_format_is_refused_by_name(smollm, wanted, param):
    with pytest.raises(openai.BadRequestError) as refused:
        ask(smollm, response_format=wanted)
    assert refused.value.param == param


def test_the_beginning_of_an_answer_and_a_format_exclude_each_other(smollm):
    messages = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "{"}]
    with smollm.openai() as client, pytest.raises(openai.BadRequestError, match="do not end `messages`") as refused:
        client.chat.completions.create(model="m", messages=messages, response_format=JSON_OBJECT)
    assert refused.value.param == "response_format"


def test_the_official_client_parses_into_its_own_classes(qwen):
    with qwen.openai() as client:
        answer = client.chat.completions.parse(
            model="m",
            messages=[{"role": "user", "content": "Ada Lovelace was born in 1815. Give name and year."}],
            response_format=Born,
            temperature=0,
            max_tokens=60,
        )
    assert isinstance(answer.choices[0].message.parsed, Born)
