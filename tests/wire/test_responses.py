"""The Responses API: requests become chats, and answers its items; a stream tells the same as a whole answer."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

from glasnost.errors import InvalidRequest, UpstreamUnavailable
from glasnost.wire.responses.dialect import ResponsesDialect
from named_events import events_of

EVENT = TypeAdapter(ResponseStreamEvent)
HELLO = {"model": "m", "input": "Hello"}
USAGE = {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12, "prompt_tokens_details": {"cached_tokens": 2}}

TEXT = st.text(min_size=1, max_size=12)
SAID = st.lists(
    st.one_of(
        st.tuples(st.just("reasoning_content"), TEXT),
        st.tuples(st.just("content"), TEXT),
        st.tuples(st.just("refusal"), TEXT),
        st.tuples(st.just("call"), st.integers(0, 2), TEXT),
    ),
    max_size=12,
)


def dialect(**fields):
    return ResponsesDialect({**HELLO, **fields}, "1", 7)


def chat(**fields):
    (request,) = dialect(**fields).requests
    return request.body


def delta_of(piece, seen):
    if piece[0] != "call":
        return {piece[0]: piece[1]}
    _, index, text = piece
    first = {} if index in seen else {"id": f"c{index}", "type": "function"}
    name = {} if index in seen else {"name": f"f{index}"}
    seen.add(index)
    return {"tool_calls": [{"index": index, **first, "function": {**name, "arguments": text}}]}


def streamed(said, finish="stop"):
    asked = dialect(stream=True)
    seen: set[int] = set()
    chunks = [{"choices": [{"index": 0, "delta": delta_of(piece, seen)}]} for piece in said]
    chunks.append({"choices": [{"index": 0, "delta": {}, "finish_reason": finish}], "model": "served"})
    chunks.append({"choices": [], "usage": USAGE, "glasnost": {"label": "complete"}})
    frames = b"".join(asked.frames(chunk, 0) for chunk in chunks)
    return events_of(frames + asked.end())


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"input": []}, "input"),
        ({"input": 3}, "input"),
        ({"input": ["x"]}, "input[0]"),
        ({"input": [{"type": "item_reference", "id": "msg_1"}]}, "input[0].type"),
        (
            {"input": [{"role": "user", "content": [{"type": "input_file", "file_url": "http://x"}]}]},
            "input[0].content[0]",
        ),
        ({"input": [{"type": "function_call", "name": "f", "call_id": "c"}]}, "input[0]"),
        ({"previous_response_id": "resp_1"}, "previous_response_id"),
        ({"background": True}, "background"),
        ({"tools": [{"type": "web_search"}]}, "tools[0].type"),
        ({"tools": {}}, "tools"),
        ({"tool_choice": {"type": "web_search"}}, "tool_choice"),
        ({"text": {"format": 3}}, "text.format"),
        ({"instructions": 3}, "instructions"),
        ({"api_key": "sk-x"}, "api_key"),
        ({"stream": "yes"}, "stream"),
    ],
)
def test_a_wrong_field_is_named(fields, param):
    with pytest.raises(InvalidRequest) as raised:
        dialect(**fields)
    assert raised.value.param == param


def test_fields_have_their_names_in_a_chat_and_unknown_ones_pass():
    body = chat(
        instructions="Be brief.",
        max_output_tokens=9,
        reasoning={"effort": "low"},
        text={"format": {"type": "json_schema", "name": "s", "schema": {"type": "object"}}, "verbosity": "low"},
        include=["message.output_text.logprobs"],
        top_logprobs=2,
        store=True,
        metadata={"a": "b"},
        top_k=3,
        stream=True,
    )
    assert body == {
        "model": "m",
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello"}],
        "max_completion_tokens": 9,
        "reasoning_effort": "low",
        "response_format": {"type": "json_schema", "json_schema": {"name": "s", "schema": {"type": "object"}}},
        "verbosity": "low",
        "logprobs": True,
        "top_logprobs": 2,
        "top_k": 3,
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def test_tools_and_their_choice_have_the_shape_of_a_chat():
    function = {"name": "f", "parameters": {"type": "object"}, "strict": True}
    grammar = {"type": "grammar", "syntax": "lark", "definition": "start: /a/"}
    body = chat(
        tools=[{"type": "function", **function}, {"type": "custom", "name": "c", "format": grammar}],
        tool_choice={"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "f"}]},
    )
    assert body["tools"][0] == {"type": "function", "function": function}
    inner = {"syntax": "lark", "definition": "start: /a/"}
    assert body["tools"][1]["custom"] == {"name": "c", "format": {"type": "grammar", "grammar": inner}}
    allowed = {"mode": "auto", "tools": [{"type": "function", "function": {"name": "f"}}]}
    assert body["tool_choice"] == {"type": "allowed_tools", "allowed_tools": allowed}
    assert chat(tool_choice="required")["tool_choice"] == "required"
    assert chat(tool_choice={"type": "function", "name": "f"})["tool_choice"]["function"] == {"name": "f"}


def test_items_of_one_answer_become_one_message_and_results_follow():
    items = [
        {
            "role": "user",
            "content": [{"type": "input_text", "text": "a"}, {"type": "input_image", "image_url": "data:x"}],
        },
        {"type": "reasoning", "summary": [], "content": [{"type": "reasoning_text", "text": "hm"}]},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "b"}]},
        {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"},
        {"type": "custom_tool_call", "call_id": "c2", "name": "g", "input": "x"},
        {"type": "function_call_output", "call_id": "c1", "output": "1"},
        {"type": "custom_tool_call_output", "call_id": "c2", "output": [{"type": "input_text", "text": "2"}]},
    ]
    user, assistant, first, second = chat(input=items)["messages"]
    assert user["content"] == [{"type": "text", "text": "a"}, {"type": "image_url", "image_url": {"url": "data:x"}}]
    assert (assistant["content"], assistant["reasoning_content"]) == ("b", "hm")
    assert assistant["tool_calls"] == [
        {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}},
        {"id": "c2", "type": "custom", "custom": {"name": "g", "input": "x"}},
    ]
    assert first == {"role": "tool", "tool_call_id": "c1", "content": "1"}
    assert second == {"role": "tool", "tool_call_id": "c2", "content": "2"}


def test_parts_keep_what_they_carry():
    parts = [
        {"type": "input_image", "image_url": "data:x", "detail": "low"},
        {"type": "input_file", "file_data": "data:y", "filename": "y.pdf"},
        {"type": "input_audio", "input_audio": {"data": "z", "format": "wav"}},
    ]
    said = [{"type": "refusal", "refusal": "I "}, {"type": "output_text", "text": "cannot."}]
    user, assistant = chat(input=[{"role": "user", "content": parts}, {"role": "assistant", "content": said}])[
        "messages"
    ]
    assert user["content"] == [
        {"type": "image_url", "image_url": {"url": "data:x", "detail": "low"}},
        {"type": "file", "file": {"file_data": "data:y", "filename": "y.pdf"}},
        {"type": "input_audio", "input_audio": {"data": "z", "format": "wav"}},
    ]
    assert assistant["content"] == "I cannot."
    assert "response_format" not in chat(text={"format": {"type": "text"}})
    assert chat(text={"format": {"type": "json_object"}})["response_format"] == {"type": "json_object"}


@settings(deadline=None)
@given(SAID)
def test_the_events_of_a_stream_add_up_to_its_response_and_are_those_of_the_client(said):
    events = streamed(said)
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    assert [event["type"] for event in events[:2]] == ["response.created", "response.in_progress"]
    for event in events:
        EVENT.validate_python(event)
    final = events[-1]["response"]
    items: dict[int, dict] = {}
    texts: dict[tuple[int, int], str] = {}
    for event in events[:-1]:
        place = (event.get("output_index", -1), event.get("content_index", 0))
        if event["type"] == "response.output_item.done":
            items[place[0]] = event["item"]
        if event["type"].endswith(".delta"):
            texts[place] = texts.get(place, "") + event["delta"]
    assert [items[index] for index in sorted(items)] == final["output"]
    for (index, part), text in texts.items():
        item = final["output"][index]
        whole = item["arguments"] if item["type"] == "function_call" else item["content"][part]
        assert text == (whole if isinstance(whole, str) else whole.get("text", whole.get("refusal")))
    assert {item["status"] for item in final["output"]} == {"completed"}


@settings(deadline=None)
@given(SAID)
def test_no_text_is_lost_or_changed(said):
    output = streamed(said)[-1]["response"]["output"]
    for field in ("reasoning_content", "content", "refusal"):
        kinds = {"reasoning_content": "reasoning_text", "content": "output_text", "refusal": "refusal"}
        parts = [part for item in output for part in item.get("content", ()) if part["type"] == kinds[field]]
        expected = "".join(piece[1] for piece in said if piece[0] == field)
        assert "".join(part.get("text", part.get("refusal")) for part in parts) == expected
    for index in range(3):
        expected = "".join(piece[2] for piece in said if piece[0] == "call" and piece[1] == index)
        assert "".join(item["arguments"] for item in output if item.get("call_id") == f"c{index}") == expected


def test_a_whole_answer_is_the_response_at_the_end_of_its_stream():
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    message = {"role": "assistant", "content": "Paris.", "reasoning_content": "hm", "tool_calls": [call]}
    whole = dialect().whole(
        [
            {
                "model": "served",
                "choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}],
                "usage": USAGE,
                "glasnost": {"label": "complete"},
            }
        ]
    )
    asked = dialect(stream=True)
    stream = asked.frames({"choices": [{"index": 0, "delta": {"reasoning_content": "hm"}}], "model": "served"}, 0)
    stream += asked.frames({"choices": [{"index": 0, "delta": {"content": "Paris."}}]}, 0)
    stream += asked.frames({"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, **call}]}}]}, 0)
    stream += asked.frames(
        {
            "choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}],
            "usage": USAGE,
            "glasnost": {"label": "complete"},
        },
        0,
    )
    assert events_of(stream + asked.end())[-1]["response"] == whole
    read = Response.model_validate(whole)
    assert (read.output_text, read.model, read.status, read.usage.input_tokens_details.cached_tokens) == (
        "Paris.",
        "served",
        "completed",
        2,
    )
    assert [item.type for item in read.output] == ["reasoning", "message", "function_call"]


@pytest.mark.parametrize(("finish", "reason"), [("length", "max_output_tokens"), ("content_filter", "content_filter")])
def test_an_answer_that_was_cut_is_incomplete(finish, reason):
    last = streamed([("content", "x")], finish)[-1]
    assert last["type"] == "response.incomplete"
    assert last["response"]["incomplete_details"] == {"reason": reason}
    assert last["response"]["output"][0]["status"] == "incomplete"


def test_log_probabilities_stand_beside_their_text():
    token = {"token": "x", "bytes": [120], "logprob": -0.1, "top_logprobs": []}
    asked = dialect(stream=True, top_logprobs=1)
    choice = {"index": 0, "delta": {"content": "x"}, "logprobs": {"content": [token]}}
    events = events_of(asked.frames({"choices": [choice]}, 0) + asked.end())
    assert next(event for event in events if event["type"] == "response.output_text.delta")["logprobs"] == [token]
    assert events[-1]["response"]["output"][0]["content"][0]["logprobs"] == [token]


def test_an_abnormal_end_is_a_failed_response_and_an_error():
    asked = dialect(stream=True)
    asked.frames({"choices": [{"index": 0, "delta": {"content": "x"}}]}, 0)
    failed, error = events_of(asked.fail(UpstreamUnavailable("Gone.")))
    assert (failed["type"], failed["response"]["status"]) == ("response.failed", "failed")
    assert failed["response"]["error"] == {"code": "upstream_unavailable", "message": "Gone."}
    assert (error["type"], error["message"], error["error"]["code"]) == ("error", "Gone.", "upstream_unavailable")
