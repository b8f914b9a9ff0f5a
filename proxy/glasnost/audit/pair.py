"""A question and its answer as the one text that a second reader gets, cut where it would be too long."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from glasnost.wire.answer import Answer

# Tokens of the vocabularies of today: some four Latin letters each, and two for three Chinese characters.
_NARROW, _WIDE = 0.25, 0.7
_LATIN = 0x250
_GAP = " … "


@dataclass(frozen=True, slots=True)
class Lengths:
    """How much of a pair is read, in estimated tokens: of the question, and of an answer's beginning and end."""

    question: float
    head: float
    tail: float


def spoken(answer: Answer) -> str:
    """Give what a choice says to its reader: no reasoning, in whichever field it stands."""
    content = answer.content.rpartition("</think>")[2].partition("<think>")[0]
    texts = (content, answer.refusal, answer.tool_arguments)
    return "\n".join(text.strip() for text in texts if text.strip())


def question_of(prompt: str, lengths: Lengths) -> str:
    """Give the question on one line, as far as it is read."""
    text = _flat(prompt)
    return text[: _fitting(text, lengths.question)]


def answer_of(said: str, lengths: Lengths) -> str:
    """Give an answer on one line: its beginning and its end, where it is longer than both."""
    text = _flat(said)
    head = _fitting(text, lengths.head)
    rest = text[head:]
    tail = _fitting(rest[::-1], lengths.tail)
    return text if tail == len(rest) else text[:head] + _GAP + rest[len(rest) - tail :]


def _flat(text: str) -> str:
    """Put a text on one line, without what nobody sees: characters of no width, and marks that turn its direction."""
    return " ".join("".join(each for each in text if unicodedata.category(each) != "Cf").split())


def _fitting(text: str, tokens: float) -> int:
    """Count the characters of the beginning that has at most so many tokens."""
    spent = 0.0
    for count, character in enumerate(text):
        spent += _NARROW if ord(character) < _LATIN else _WIDE
        if spent > tokens:
            return count
    return len(text)
