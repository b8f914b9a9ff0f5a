"""Events to completions and chunks: thinking apart, choices apart, usage counted."""

from __future__ import annotations

from glasnost.engine.answer import Chunks, Tally, Whole
from glasnost.engine.events import Delta, End, TokenLogprob
from glasnost.engine.output import OutputFormat
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


def whole(events, *, choices=1, thinking=False):
    answer = Whole(FRAME, Tally(10, choices), OutputFormat(thinking=thinking), choices=choices)
    answer.add(events)
    return answer.completion()


def chunks(events, *, choices=1, thinking=False, include_usage=False):
    output = OutputFormat(thinking=thinking)
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
    [choice] = whole([Delta(0, "Hm.</think>Yes"), End(0, "length", 4, 0)], thinking=True)["choices"]
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
