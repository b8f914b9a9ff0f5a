"""The Messages API: requests become chats, and answers its blocks; a stream tells the same as a whole answer."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glasnost.errors import InvalidRequest, Overloaded, QueueFull, Unauthenticated, UpstreamUnavailable
from glasnost.wire.messages.dialect import MessagesDialect, error_body
from named_events import events_of

HELLO = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "Hello"}]}
USAGE = {"prompt_tokens": 5, "completion_tokens": 7, "prompt_tokens_details": {"cached_tokens": 2}}
COUNTS = {
    "input_tokens": 3,
    "cache_read_input_tokens": 2,
    "cache_creation_input_tokens": 0,
    "output_tokens": 7,
}
TEXT = st.text(min_size=1, max_size=12)
SAID = st.lists(
    st.one_of(
        st.tuples(st.just("thinking"), TEXT),
        st.tuples(st.just("text"), TEXT),
        st.tuples(st.just("call"), st.integers(0, 2)),
    ),
    max_size=12,
)


def dialect(**fields):
    return MessagesDialect({**HELLO, **fields}, "1", 7)


def chat(**fields):
    (request,) = dialect(**fields).requests
    return request.body


def delta_of(piece, seen):
    if piece[0] != "call":
        return {{"thinking": "reasoning_content", "text": "content"}[piece[0]]: piece[1]}
    index = piece[1]
    if index in seen:
        return {"tool_calls": [{"index": index, "function": {"arguments": " "}}]}
    seen.add(index)
    return {"tool_calls": [{"index": index, "id": f"c{index}", "function": {"name": "f", "arguments": '{"a": 1}'}}]}


def accumulated(events):
    """Put a stream together as Anthropic's clients do."""
    blocks: dict[int, dict] = {}
    texts: dict[int, str] = {}
    for event in events:
        at = event.get("index")
        if event["type"] == "content_block_start":
            assert at == len(blocks)
            blocks[at], texts[at] = event["content_block"], ""
        if event["type"] == "content_block_delta":
            texts[at] += next(value for name, value in event["delta"].items() if name != "type")
    for at, block in blocks.items():
        field = "input" if block["type"] == "tool_use" else block["type"]
        block[field] = json.loads(texts[at]) if field == "input" else texts[at]
    return list(blocks.values())


def message_of(said):
    """Give the same as one message of a chat; what was said in turns is joined by field."""
    message: dict = {"tool_calls": []}
    seen: set[int] = set()
    for piece in said:
        for field, value in delta_of(piece, seen).items():
            if field == "tool_calls" and "id" in value[0]:
                message[field].append(value[0])
            elif field != "tool_calls":
                message[field] = message.get(field, "") + value
    return message


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"messages": []}, "messages"),
        ({"messages": ["x"]}, "messages[0].role"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "user", "content": 3}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": [{"type": "search_result"}]}]}, "messages[0].content[0]"),
        ({"messages": [{"role": "assistant", "content": [{"type": "image"}]}]}, "messages[0].content[0]"),
        ({"tools": [{"type": "web_search_20250305", "name": "web_search"}]}, "tools[0].type"),
        ({"tools": ["x"]}, "tools[0]"),
        ({"tools": {"x": 1}}, "tools"),
        ({"tool_choice": "auto"}, "tool_choice"),
        ({"mcp_servers": [{"url": "http://x"}]}, "mcp_servers"),
        ({"thinking": {"type": "enabled"}}, "thinking.budget_tokens"),
        ({"model": None}, "model"),
    ],
)
def test_a_wrong_field_is_named(fields, param):
    with pytest.raises(InvalidRequest) as raised:
        dialect(**fields)
    assert raised.value.param == param


def test_fields_have_their_names_in_a_chat_and_others_stay_behind():
    function = {"name": "f", "description": "d", "parameters": {"type": "object"}}
    body = chat(
        system=[{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
        stop_sequences=["END"],
        metadata={"user_id": "u"},
        thinking={"type": "enabled", "budget_tokens": 4_000},
        tools=[{"name": "f", "description": "d", "input_schema": {"type": "object"}}],
        tool_choice={"type": "any", "disable_parallel_tool_use": True},
        top_k=3,
        api_base="http://evil.example",
        stream=True,
    )
    assert body == {
        "model": "m",
        "max_completion_tokens": 9,
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello"}],
        "stop": ["END"],
        "user": "u",
        "reasoning_effort": "medium",
        "tools": [{"type": "function", "function": function}],
        "tool_choice": "required",
        "parallel_tool_calls": False,
        "top_k": 3,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    assert chat(tool_choice={"type": "tool", "name": "f"})["tool_choice"]["function"] == {"name": "f"}
    assert chat(output_config={"effort": "low"})["reasoning_effort"] == "low"


def test_blocks_become_messages_and_results_of_tools_come_first():
    messages = [
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "hm", "signature": ""},
                {"type": "redacted_thinking", "data": "x"},
                {"type": "text", "text": "a"},
                {"type": "tool_use", "id": "c1", "name": "f", "input": {"q": 1}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "c1", "content": [{"type": "text", "text": "1"}]},
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AA"}},
                {"type": "image", "source": {"type": "url", "url": "https://x.example/y.png"}},
                {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "b"}},
            ],
        },
    ]
    assistant, result, user = chat(messages=messages)["messages"]
    function = {"name": "f", "arguments": '{"q":1}'}
    assert assistant == {
        "role": "assistant",
        "content": "a",
        "reasoning_content": "hm",
        "tool_calls": [{"id": "c1", "type": "function", "function": function}],
    }
    assert result == {"role": "tool", "tool_call_id": "c1", "content": "1"}
    assert user["content"] == [
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}},
        {"type": "image_url", "image_url": {"url": "https://x.example/y.png"}},
        {"type": "text", "text": "b"},
    ]


@settings(deadline=None)
@given(SAID)
def test_the_events_of_a_stream_add_up_and_no_text_is_lost(said):
    asked = dialect(stream=True)
    seen: set[int] = set()
    frames = b"".join(asked.frames({"choices": [{"delta": delta_of(piece, seen)}]}, 0) for piece in said)
    frames += asked.frames({"choices": [{"delta": {}, "finish_reason": "stop"}], "model": "served"}, 0)
    frames += asked.frames({"choices": [], "usage": USAGE, "glasnost": {"label": "complete"}}, 0)
    events = events_of(frames + asked.end())
    assert [events[0]["type"], events[-2]["type"], events[-1]["type"]] == [
        "message_start",
        "message_delta",
        "message_stop",
    ]
    starts = [event["index"] for event in events if event["type"] == "content_block_start"]
    assert sorted(event["index"] for event in events if event["type"] == "content_block_stop") == starts
    assert (events[-2]["usage"], events[-2]["glasnost"]) == (COUNTS, {"label": "complete"})
    streamed = accumulated(events)
    whole = dialect().whole([{"choices": [{"message": message_of(said)}]}])["content"]
    for kind in ("text", "thinking"):
        assert "".join(block[kind] for block in streamed if block["type"] == kind) == "".join(
            block[kind] for block in whole if block["type"] == kind
        )
    calls = [[block for block in blocks if block["type"] == "tool_use"] for blocks in (streamed, whole)]
    assert calls[0] == calls[1]


@pytest.mark.parametrize(
    ("finish", "extra", "reason", "sequence"),
    [
        ("stop", {}, "end_turn", None),
        ("stop", {"stop_reason": "END"}, "stop_sequence", "END"),
        ("stop", {"stop_reason": 5}, "end_turn", None),
        ("length", {}, "max_tokens", None),
        ("tool_calls", {}, "tool_use", None),
        ("content_filter", {}, "refusal", None),
    ],
)
def test_a_message_says_why_it_ended(finish, extra, reason, sequence):
    choice = {"message": {"content": "x", "refusal": None}, "finish_reason": finish, **extra}
    message = dialect(stop_sequences=["END"]).whole([{"choices": [choice], "model": "served", "usage": USAGE}])
    assert (message["stop_reason"], message["stop_sequence"]) == (reason, sequence)
    assert (message["content"], message["usage"], message["model"]) == (
        [{"type": "text", "text": "x"}],
        COUNTS,
        "served",
    )


def test_a_system_text_and_results_that_are_no_text():
    assert chat(system="Be brief.")["messages"][0] == {"role": "system", "content": "Be brief."}
    result = {"type": "tool_result", "tool_use_id": "c1"}
    only = [{"role": "user", "content": [result]}]
    assert chat(messages=only)["messages"] == [{"role": "tool", "tool_call_id": "c1", "content": ""}]
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AA"}}
    with pytest.raises(InvalidRequest) as raised:
        dialect(messages=[{"role": "user", "content": [{**result, "content": [image]}]}])
    assert raised.value.param == "messages[0].content[0].content[0]"


def test_half_of_a_calls_input_is_kept_as_it_is():
    call = {"function": {"name": "f", "arguments": '{"q": '}}
    message = dialect().whole([{"choices": [{"message": {"tool_calls": [call]}, "finish_reason": "length"}]}])
    assert message["content"][0]["input"] == {"_unfinished": '{"q": '}
    assert message["content"][0]["id"] == "toolu_1_0"


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (InvalidRequest("x"), "invalid_request_error"),
        (Unauthenticated("x"), "authentication_error"),
        (QueueFull("x"), "rate_limit_error"),
        (Overloaded("x"), "overloaded_error"),
        (UpstreamUnavailable("x"), "overloaded_error"),
        (RuntimeError("secret"), "api_error"),
    ],
)
def test_errors_have_their_names_there(error, kind):
    body = error_body(error)
    assert (body["type"], body["error"]["type"]) == ("error", kind)
    assert "secret" not in str(body)
    (event,) = events_of(dialect(stream=True).fail(error))
    assert event == body
