"""Calls read out of the text in every format, however it is split."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glasnost.engine.tools.call import Arguments, Text, ToolCall
from glasnost.engine.tools.formats import DEEPSEEK, DEEPSEEK_BARE, FORMATS, HERMES, LLAMA3, MISTRAL, MISTRAL_LIST
from glasnost.engine.tools.reader import CallReader

NAMES = frozenset({"weather", "time"})
HERMES_CALL = '<tool_call>\n{"name": "weather", "arguments": {"city": "Köln"}}\n</tool_call>'
LLAMA_CALL = '{"name": "weather", "parameters": {"city": "Köln"}}'
DEEPSEEK_CALL = '<｜tool▁call▁begin｜>function<｜tool▁sep｜>weather\n```json\n{"city": "Köln"}\n```<｜tool▁call▁end｜>'
BARE_CALL = '<｜tool▁call▁begin｜>weather<｜tool▁sep｜>{"city": "Köln"}<｜tool▁call▁end｜>'
LIST, LIST_END = "<｜tool▁calls▁begin｜>", "<｜tool▁calls▁end｜>"
ONE = [("weather", '{"city": "Köln"}')]


def read(form, pieces, *, most=16):
    """Give the content and the calls as (name, arguments)."""
    reader = CallReader(form, NAMES, most, "nonce")
    found = [piece for part in pieces for piece in reader.feed(part)] + reader.finish()
    content, calls = "", []
    for piece in found:
        match piece:
            case Text("content", text):
                assert text
                content += text
            case ToolCall(index, _, name):
                assert index == len(calls)
                calls.append((name, ""))
            case Arguments(index, text):
                assert index == len(calls) - 1
                calls[index] = (calls[index][0], calls[index][1] + text)
    assert reader.calls == len(calls)
    return content, calls


CASES = [
    (HERMES, HERMES_CALL, "", ONE),
    (HERMES, f"Let me look.\n{HERMES_CALL}\n{HERMES_CALL}\n", "Let me look.", ONE * 2),
    (HERMES, '<tool_call>{"name":"time","arguments":{}}</tool_call>', "", [("time", "{}")]),
    (HERMES, f"{HERMES_CALL} and text", " and text", ONE),
    (HERMES, 'A "{" and <tool_call> are text.', 'A "{" and <tool_call> are text.', []),
    (HERMES, '<tool_call>\n{"name": "rm", "arguments": {}}\n</tool_call>', ..., []),
    (HERMES, f'<tool_call>\n{{"name": 5}}\n</tool_call>{HERMES_CALL}', '<tool_call>\n{"name": 5}\n</tool_call>', ONE),
    (HERMES, '<tool_call>\n{"name": "weather", "argu', ..., []),
    (HERMES, '<tool_call>\n{"name": "weather", "arguments": "Köln"}\n</tool_call>', ..., []),
    (HERMES, HERMES_CALL[:-18], "", [("weather", '{"city": "Kö')]),
    (HERMES, HERMES_CALL[:-5], "", ONE),
    (HERMES, f'{HERMES_CALL}\n<tool_call>\n{{"name": "ti', '\n<tool_call>\n{"name": "ti', ONE),
    (
        HERMES,
        '<tool_call>{"name": "time", "arguments": {"a": "}\\"{", "b": {"c": "\\\\"}}}</tool_call>',
        "",
        [("time", '{"a": "}\\"{", "b": {"c": "\\\\"}}')],
    ),
    (HERMES, '<tool_call>{"name": "time", "arguments": {}, "why": "x"}', ', "why": "x"}', [("time", "{}")]),
    (LLAMA3, LLAMA_CALL, "", ONE),
    (LLAMA3, "\n\n" + LLAMA_CALL, "", ONE),
    (LLAMA3, f"<|python_tag|>{LLAMA_CALL}", "", ONE),
    (LLAMA3, '{"type": "function", "name": "time", "parameters": {}}', "", [("time", "{}")]),
    (LLAMA3, f"I would call {LLAMA_CALL}", ..., []),
    (LLAMA3, '{"name": "Ada", "parameters": {}}', ..., []),
    (LLAMA3, '{"answer": 42}', ..., []),
    (LLAMA3, f"{LLAMA_CALL}; {LLAMA_CALL}", f"; {LLAMA_CALL}", ONE),
    (MISTRAL_LIST, '[TOOL_CALLS][{"name": "weather", "arguments": {"city": "Köln"}}]', "", ONE),
    (
        MISTRAL_LIST,
        '[TOOL_CALLS] [{"name": "weather", "arguments": {"city": "Köln"}}, {"name": "time", "arguments": {}}]',
        "",
        [*ONE, ("time", "{}")],
    ),
    (MISTRAL, '[TOOL_CALLS]weather[ARGS]{"city": "Köln"}[TOOL_CALLS]time[ARGS]{}', "", [*ONE, ("time", "{}")]),
    (MISTRAL, 'So: [TOOL_CALLS]rm[ARGS]{"city": "Köln"}', ..., []),
    (DEEPSEEK, f"{LIST}{DEEPSEEK_CALL}{LIST_END}", "", ONE),
    (DEEPSEEK, f"Sure.\n{LIST}{DEEPSEEK_CALL}\n{DEEPSEEK_CALL}\n{LIST_END}", "Sure.", ONE * 2),
    (DEEPSEEK_BARE, f"{LIST}{BARE_CALL}{BARE_CALL}{LIST_END}", "", ONE * 2),
    (DEEPSEEK_BARE, f"{LIST}{BARE_CALL}{LIST_END[:-3]}", "", ONE),
]


@pytest.mark.parametrize(("form", "text", "content", "calls"), CASES)
def test_calls_and_content_are_told_apart(form, text, content, calls):
    expected = (text if content is ... else content, calls)
    assert read(form, [text]) == expected
    assert read(form, list(text)) == expected


PARTS = sorted({part for _, text, _, _ in CASES for part in (text, text[:9], text[9:40], text[-9:])})
TEXTS = st.lists(st.sampled_from(PARTS) | st.sampled_from([" ", "\n" * 9, "{", "}", '"', "<"]), max_size=5).map("".join)


@given(st.sampled_from(FORMATS), TEXTS, st.lists(st.integers(0, 999)), st.sampled_from([1, 16]))
def test_any_split_gives_the_same_calls_and_content(form, text, cuts, most):
    places = sorted({cut % (len(text) + 1) for cut in cuts} | {0, len(text)})
    pieces = [text[start:end] for start, end in pairwise(places)]
    assert read(form, pieces, most=most) == read(form, [text], most=most)
    assert read(form, list(text), most=most) == read(form, [text], most=most)


WORDS = st.text('ab{}"\\ \n<[k｜', max_size=12)


@given(st.sampled_from(FORMATS), TEXTS, WORDS)
def test_nothing_but_the_frame_of_calls_is_left_out(form, text, word):
    marked = f"Q{word}Q"
    content, calls = read(form, [text + marked + text])
    assert marked in "".join([content, *(arguments for _, arguments in calls)])


def test_one_call_at_most_leaves_the_next_as_content():
    content, calls = read(HERMES, [f"{HERMES_CALL}\n{HERMES_CALL}"], most=1)
    assert (content, calls) == (f"\n{HERMES_CALL}", ONE)


def test_arguments_come_as_they_are_generated():
    reader = CallReader(HERMES, NAMES, 16, "nonce")
    assert reader.feed('<tool_call>\n{"name": "weather", "arguments": ') == []
    opened, first = reader.feed('{"ci')
    assert (opened.index, opened.name, first) == (0, "weather", Arguments(0, '{"ci'))
    assert reader.feed('ty": 1') == [Arguments(0, 'ty": 1')]
    assert reader.feed("}}\n</tool") == [Arguments(0, "}")]


def test_content_is_not_held_back():
    reader = CallReader(HERMES, NAMES, 16, "nonce")
    assert reader.feed("It is") == [Text("content", "It is")]
    assert reader.feed(" a <b> tag") == [Text("content", " a <b> tag")]


def test_ids_differ_between_calls_and_between_answers_and_have_the_usual_form():
    def ids(nonce):
        reader = CallReader(HERMES, NAMES, 16, nonce)
        return [piece.id for piece in reader.feed(HERMES_CALL * 2) if isinstance(piece, ToolCall)]

    found = ids("a/0") + ids("a/1")
    assert len(set(found)) == 4
    assert all(each.startswith("call_") and len(each) == 29 for each in found)


def test_the_cases_hold_calls_in_every_format():
    for form in FORMATS:
        read_calls = [arguments for each, _, _, calls in CASES if each is form for _, arguments in calls]
        assert any(json.loads(arguments) for arguments in read_calls if arguments.endswith("}"))
