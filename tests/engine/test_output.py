"""Thinking, content and calls told apart, however the text is split."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glasnost.engine.output import Arguments, Calls, OutputFormat, OutputParser, Text, ToolCall
from glasnost.engine.reasoning import FAMILIES, Thinking
from glasnost.engine.tools.formats import HERMES

CALL = '<tool_call>\n{"name": "f", "arguments": {"a": 1}}\n</tool_call>'
INSIDE = Thinking(inside=FAMILIES[0])
CALLS = Calls(HERMES, frozenset({"f"}), 16)


def joined(output, parts):
    """Give thinking, content and calls, each joined."""
    parser = OutputParser(output, "n")
    pieces = [piece for part in parts for piece in parser.feed(part)] + parser.finish()
    fields = {"reasoning_content": "", "content": ""}
    calls = []
    for piece in pieces:
        match piece:
            case Text(field, text):
                fields[field] += text
            case ToolCall(_, _, name):
                calls.append([name, ""])
            case Arguments(index, text):
                calls[index][1] += text
    assert parser.called == bool(calls)
    return fields["reasoning_content"], fields["content"], calls


@pytest.mark.parametrize(
    ("text", "output", "expected"),
    [
        (CALL, OutputFormat(), ("", CALL, [])),
        (CALL, OutputFormat(calls=CALLS), ("", "", [["f", '{"a": 1}']])),
        (f"<think>Hm.</think>\n\n{CALL}", OutputFormat(calls=CALLS), ("Hm.", "", [["f", '{"a": 1}']])),
        (f"Hm.\n</think>Yes. {CALL}", OutputFormat(INSIDE, CALLS), ("Hm.", "Yes.", [["f", '{"a": 1}']])),
        (f"<think>{CALL}</think>No.", OutputFormat(calls=CALLS), (CALL, "No.", [])),
        ("<think>Hm, cut <tool", OutputFormat(calls=CALLS), ("Hm, cut <tool", "", [])),
        ("Yes. <tool", OutputFormat(calls=CALLS), ("", "Yes. <tool", [])),
    ],
)
def test_fields_and_calls_are_told_apart(text, output, expected):
    assert joined(output, [text]) == expected
    assert joined(output, list(text)) == expected


TEXTS = st.lists(
    st.sampled_from(["<think>", "</think>", CALL, CALL[:30], CALL[30:], "<", "{", "\n", "a", "天"]), max_size=8
).map("".join)
OUTPUTS = st.builds(
    OutputFormat,
    st.sampled_from([Thinking(), INSIDE]),
    st.sampled_from([None, CALLS, Calls(HERMES, frozenset({"f"}), 1)]),
)


@given(TEXTS, OUTPUTS, st.lists(st.integers(0, 500)))
def test_any_split_gives_the_same_fields_and_calls(text, output, cuts):
    places = sorted({cut % (len(text) + 1) for cut in cuts} | {0, len(text)})
    assert joined(output, [text[start:end] for start, end in pairwise(places)]) == joined(output, [text])
