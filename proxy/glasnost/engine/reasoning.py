"""What a model thought and what it said: `<think>...</think>` and its kin taken out of the text while it streams."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from itertools import takewhile
from typing import Literal

Field = Literal["reasoning_content", "content"]
Piece = tuple[Field, str]


@dataclass(frozen=True, slots=True)
class Tags:
    """What a family of models writes around its thinking; `gap` stands between tag and text, and twice behind.

    `answer` opens an answer without thinking, where such an answer has an opening of its own.
    """

    open: str
    close: str
    gap: str = ""
    answer: str = ""

    def around(self, thought: str) -> str:
        """Give a finished thinking, empty without a thought, up to the place where the answer begins."""
        if not thought and self.answer:
            return self.answer
        return f"{self.open}{self.gap}{thought}{self.gap}{self.close}{self.gap}{self.gap}"


#: Qwen, DeepSeek, GLM and most others; Apriel; fine-tuned models; Seed; MiniMax; Mistral; Command; Gemma; gpt-oss.
FAMILIES = (
    Tags("<think>", "</think>", "\n"),
    Tags("<thinking>", "</thinking>", "\n"),
    Tags("<reasoning>", "</reasoning>", "\n"),
    Tags("<seed:think>", "</seed:think>", "\n"),
    Tags("<mm:think>", "</mm:think>", "\n"),
    Tags("[THINK]", "[/THINK]"),
    Tags("<|START_THINKING|>", "<|END_THINKING|>"),
    Tags("<|channel>thought\n", "<channel|>"),
    Tags(
        "<|channel|>analysis<|message|>",
        "<|end|><|start|>assistant<|channel|>final<|message|>",
        answer="<|channel|>final<|message|>",
    ),
)
#: What tokens of a vocabulary may stand for and must be seen, since thinking is read from the text.
MARKERS = tuple(
    sorted({marker for tags in FAMILIES for marker in re.findall(r"<[^<>]+>|\[/?\w+\]", tags.open + tags.close)})
)


@dataclass(frozen=True, slots=True)
class Thinking:
    """How an answer may open with thinking: in any of `tags`; `inside` those that the prompt itself has opened.

    `wanted` is false where the client asked for none, so that an empty one says nothing. `blank` is the white space
    at the end of a beginning that the client gave: where the model writes it again, it is dropped.
    """

    tags: tuple[Tags, ...] = FAMILIES
    inside: Tags | None = None
    wanted: bool = True
    blank: str = ""


#: For a model of which nothing is known.
ANY_THINKING = Thinking()
#: For text that goes on within an answer: what looks like a tag there is none.
NO_THINKING = Thinking(tags=(), wanted=False)


class _Place(Enum):
    BEFORE = 1
    THINKING = 2
    BEHIND = 3
    ANSWER = 4


class ReasoningSplitter:
    """Feed text, take (field, text) pieces; however the text is split, the joined fields are the same.

    Only thinking that opens the answer counts: a later tag is text about the tag. White space around the thinking
    belongs to neither field. `empty` is true once thinking that was wanted has closed and was nothing but white space.
    """

    def __init__(self, thinking: Thinking = ANY_THINKING) -> None:
        self.empty = False
        self._tags = thinking.tags
        self._wanted = thinking.wanted
        self._blank = thinking.blank
        self._close = thinking.inside.close if thinking.inside is not None else ""
        self._place = _Place.THINKING if self._close else _Place.BEFORE
        self._held = ""
        self._thought = False

    @property
    def thinking(self) -> bool:
        """True while what comes is thinking."""
        return self._place is _Place.THINKING

    def feed(self, text: str) -> list[Piece]:
        """Take the next text."""
        self._held += self._without_blank(text)
        pieces: list[Piece] = []
        if self._place is _Place.BEFORE:
            self._before()
        if self._place is _Place.THINKING:
            pieces += self._thinking()
        if self._place is _Place.BEHIND:
            self._held = self._held.lstrip()
            if self._held:
                self._place = _Place.ANSWER
        if self._place is _Place.ANSWER and self._held:
            pieces.append(("content", self._take(len(self._held))))
        return pieces

    def finish(self) -> list[Piece]:
        """Give what was held because it might have become a tag."""
        held = self._held.rstrip() if self._place is _Place.THINKING else self._held
        self._held = ""
        if not held or self._place is _Place.BEHIND:
            return []
        return [("reasoning_content" if self._place is _Place.THINKING else "content", held)]

    def _take(self, size: int) -> str:
        taken, self._held = self._held[:size], self._held[size:]
        return taken

    def _without_blank(self, text: str) -> str:
        if not self._blank:
            return text
        same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(self._blank, text, strict=False)))
        # What differs ends it; a text that was all of it may go on.
        self._blank = self._blank[same:] if same == len(text) else ""
        return text[same:]

    def _before(self) -> None:
        text = self._held.lstrip()
        for tags in self._tags:
            if text.startswith(tags.open):
                self._held, self._close, self._place = text[len(tags.open) :], tags.close, _Place.THINKING
                return
            if tags.answer and text.startswith(tags.answer):
                self._held, self._place = text[len(tags.answer) :], _Place.BEHIND
                return
        if not any(tags.open.startswith(text) or tags.answer.startswith(text) for tags in self._tags):
            self._place = _Place.ANSWER

    def _thinking(self) -> list[Piece]:
        if not self._thought:
            self._held = self._held.lstrip()
        end = self._held.find(self._close)
        if end >= 0:
            thought = self._take(end).rstrip()
            self._take(len(self._close))
            self._place = _Place.BEHIND
            self.empty = self._wanted and not thought and not self._thought
        else:
            thought = self._take(_sure(self._held, self._close))
            self._thought = self._thought or bool(thought)
        return [("reasoning_content", thought)] if thought else []


def tags_in(template: str) -> tuple[Tags, ...]:
    """Give the tags that the text of a chat template speaks of: one of a pair is enough, often history is cut at it."""
    return tuple(tags for tags in FAMILIES if tags.open.strip() in template or tags.close in template)


def opened_by(text: str, families: tuple[Tags, ...]) -> Tags | None:
    """Give the tags whose opening is the end of a prompt, None where it ends with none."""
    end = text.rstrip()
    return next((tags for tags in families if end.endswith(tags.open.rstrip())), None)


def closed_by(text: str, families: tuple[Tags, ...]) -> Tags | None:
    """Give the tags whose closing, or opening of an answer, is the end of a prompt, None where it ends with none."""
    end = text.rstrip()
    return next((tags for tags in families if end.endswith((tags.close, tags.answer or tags.close))), None)


def without_thinking(text: str, families: tuple[Tags, ...], thought: str = "", *, add: bool) -> str:
    """Give a prompt that ends behind its thinking, which is the thought or empty.

    Thinking that the prompt opened is closed; one that it opened and closed itself is kept, unless there is a
    thought to put in. Where it did neither, `add` says that the model would think, and needs a thinking to follow.
    """
    inside, closed = opened_by(text, families), closed_by(text, families)
    if inside is not None:
        return text.rstrip().removesuffix(inside.open.rstrip()) + inside.around(thought)
    if closed is None:
        return text + families[0].around(thought) if add or thought else text
    if not thought:
        return text
    before = text.rstrip().removesuffix(closed.close).removesuffix(closed.answer)
    opened = before.rstrip().endswith(closed.open.rstrip())
    return (before.rstrip().removesuffix(closed.open.rstrip()) if opened else before) + closed.around(thought)


def _sure(text: str, close: str) -> int:
    """Count the first characters that are neither trailing white space nor the beginning of the closing tag."""
    tag = next((size for size in range(len(close) - 1, 0, -1) if text.endswith(close[:size])), 0)
    return len(text[: len(text) - tag].rstrip())
