"""Events to completions and chunks: thinking apart, choices apart, usage counted."""

from __future__ import annotations

from glasnost.engine.answer import Chunks, Tally, Whole
from glasnost.engine.events import Delta, End, TokenLogprob
from glasnost.engine.output import Calls, OutputFormat
from glasnost.engine.reasoning import FAMILIES, Thinking
from glasnost.engine.tools.formats import HERMES
from glasnost.wire.chunk import Frame

FRAME = Frame("id", 1, "m")
THOUGHT = [
    Delta(0, "<think>"),
    Delta(0, "Hm."),
    Delta(0, "</think>"),
    Delta(0, "\n\nYes"),
    Delta(0, "."),
    End(0, "stop", 6, 3),
]
PLAIN = OutputFormat()
TOOLS = OutputFormat(calls=Calls(HERMES, frozenset({"f"}), 16))
CALLED = [
    Delta(0, "So:"),
    Delta(0, '\n<tool_call>{"name": "f", "arguments": {"a'),
    Delta(0, '": 1}}</tool_call><tool_call>{"name": "f", "arguments": {}}</tool_call>'),
    End(0, "stop", 9, 0),
]


def whole(events, output=PLAIN, *, choices=1):
    answer = Whole(FRAME, Tally(10, choices), output, choices=choices)
    answer.add(events)
    return answer.completion()


def chunks(events, output=PLAIN, *, choices=1, include_usage=False):
    made = Chunks(FRAME, Tally(10, choices), output, choices=choices, include_usage=include_usage)
    return [*made.opening(), *(chunk for event in events for chunk in made.add(event)), *made.closing()]


def deltas(found):
    return [choice["delta"] for chunk in found for choice in chunk["choices"]]


def test_thinking_is_a_field_of_its_own():
    [choice] = whole(THOUGHT)["choices"]
    assert choice["message"] == {"role": "assistant", "content": "Yes.", "refusal": None, "reasoning_content": "Hm."}


def test_thinking_streams_in_a_field_of_its_own():
    assert deltas(chunks(THOUGHT)) == [
        {"role": "assistant", "content": ""},
        {"reasoning_content": "Hm."},
        {"content": "Yes"},
        {"content": "."},
        {},
    ]


def test_thinking_that_the_prompt_opened_needs_no_tag():
    output = OutputFormat(Thinking(inside=FAMILIES[0]))
    [choice] = whole([Delta(0, "Hm.</think>Yes"), End(0, "length", 4, 0)], output)["choices"]
    assert (choice["message"]["reasoning_content"], choice["message"]["content"]) == ("Hm.", "Yes")


def test_what_was_held_for_a_tag_comes_with_the_end():
    assert deltas(chunks([Delta(0, "<thi"), End(0, "stop", 2, 0)]))[1:] == [{"content": "<thi"}, {}]


def test_choices_are_kept_apart_and_their_tokens_added():
    events = [Delta(1, "b"), Delta(0, "a"), End(1, "length", 2, 9), End(0, "stop", 3, 4)]
    body = whole(events, choices=2)
    assert [choice["message"]["content"] for choice in body["choices"]] == ["a", "b"]
    assert [choice["finish_reason"] for choice in body["choices"]] == ["stop", "length"]
    assert body["usage"] == {
        "prompt_tokens": 10,
        "completion_tokens": 5,
        "total_tokens": 15,
        "prompt_tokens_details": {"cached_tokens": 4},
    }


def test_usage_is_the_last_chunk_and_null_before():
    *others, last = chunks([Delta(0, "a"), End(0, "stop", 1, 0)], include_usage=True)
    assert all(chunk["usage"] is None for chunk in others)
    assert (last["choices"], last["usage"]["total_tokens"]) == ([], 11)


def test_usage_that_nobody_asked_for_is_not_mentioned():
    assert not any("usage" in chunk for chunk in chunks([End(0, "stop", 0, 0)]))


def test_log_probabilities_of_a_token_without_text_still_have_a_chunk():
    token = TokenLogprob(b"\xf0\x9f", -0.5, ((b"\xf0\x9f", -0.5), (b"a", -1.0)))
    found = chunks([Delta(0, "", token), End(0, "stop", 1, 0)])
    [place] = found[1]["choices"][0]["logprobs"]["content"]
    assert (place["bytes"], place["logprob"]) == ([0xF0, 0x9F], -0.5)
    assert [top["bytes"] for top in place["top_logprobs"]] == [[0xF0, 0x9F], [97]]


def test_calls_stand_beside_the_content():
    [choice] = whole(CALLED, TOOLS)["choices"]
    first, second = choice["message"]["tool_calls"]
    assert choice["message"]["content"] == "So:"
    assert first["function"] == {"name": "f", "arguments": '{"a": 1}'}
    assert second["function"] == {"name": "f", "arguments": "{}"}
    assert first["type"] == "function"
    assert choice["finish_reason"] == "tool_calls"


def test_the_content_beside_calls_alone_is_null():
    [choice] = whole(CALLED[1:], TOOLS)["choices"]
    assert choice["message"]["content"] is None


def test_a_streamed_call_opens_with_its_name_and_then_brings_its_arguments():
    [choice] = whole(CALLED, TOOLS)["choices"]
    first, second = choice["message"]["tool_calls"]
    empty = {"name": "f", "arguments": ""}
    made = chunks(CALLED, TOOLS)
    assert deltas(made)[1:] == [
        {"content": "So:"},
        {"tool_calls": [{"index": 0, "id": first["id"], "type": "function", "function": empty}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": '{"a'}}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": '": 1}'}}]},
        {"tool_calls": [{"index": 1, "id": second["id"], "type": "function", "function": empty}]},
        {"tool_calls": [{"index": 1, "function": {"arguments": "{}"}}]},
        {},
    ]
    assert made[-1]["choices"][0]["finish_reason"] == "tool_calls"


def test_a_call_that_was_cut_off_ends_for_its_length():
    [choice] = whole([CALLED[1], End(0, "length", 4, 0)], TOOLS)["choices"]
    assert choice["message"]["tool_calls"][0]["function"]["arguments"] == '{"a'
    assert choice["finish_reason"] == "length"


def test_the_tokens_of_a_call_have_log_probabilities_like_any_other():
    token = TokenLogprob(b"x", -0.5, ())
    events = [Delta(event.choice, event.text, token) for event in CALLED[:-1]] + CALLED[-1:]
    [choice] = whole(events, TOOLS)["choices"]
    assert len(choice["logprobs"]["content"]) == 3
    streamed = [chunk["choices"][0]["logprobs"] for chunk in chunks(events, TOOLS)]
    assert sum(len(each["content"]) for each in streamed if each) == 3
