"""Text that arrives in pieces of any size, cut into sentences: the same text gives the same sentences, however split.

Rules kept here:
- a cut is decided from the unfinished sentence and the one character after it, never from what comes later;
- a line break ends a sentence, unless a lower-case letter goes on after it (hard-wrapped prose); in a block of code,
  and after the fence that opens or closes one, it always does; the number of a list's item is no sentence;
- `<think>` and `</think>` end a sentence, and are no part of any;
- what has no end in `LONGEST` characters is cut there, at white space where there is some.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

LONGEST = 600
_PIECE = 4 * LONGEST
_OPEN, _CLOSE = "<think>", "</think>"
_CLOSERS = r"\"'”’」』）)\]*_"
# Where a sentence may end: a run of terminators with what closes around them, a line break, or perhaps a tag.
_RUN = re.compile(rf"[。！？….!?]+[{_CLOSERS}]*\n*|\n+|<")
_ABBREVIATION = re.compile(r"(?:^|[\s.(])(?:[A-Z]|Mr|Mrs|Ms|Dr|St|No|vs|e\.g|i\.e)$|(?:^|\n)[ \t]*\d{1,2}$")
_FENCE = re.compile(r"[ \t]*(?:```|~~~)[^`\n]*\Z")
_SPACE = re.compile(r"\s")


@dataclass(frozen=True, slots=True)
class Sentence:
    """A stretch of a field from character `start` on; `thinking` inside `<think>`, `resumes` right after its end."""

    start: int
    text: str
    thinking: bool = False
    resumes: bool = False

    @property
    def end(self) -> int:
        """Where in the field the sentence ends."""
        return self.start + len(self.text)


class Splitter:
    """Feed it text, take finished sentences; the unfinished one starts at `settled`, inside `<think>` if `thinking`."""

    def __init__(self) -> None:
        self._pending = ""
        self._scanned = 0
        self._coding = False
        self.thinking = False
        self.settled = 0

    def feed(self, text: str) -> list[Sentence]:
        """Add text; give the sentences that are finished now."""
        sentences: list[Sentence] = []
        for start in range(0, len(text), _PIECE):
            self._pending += text[start : start + _PIECE]
            while (end := self._next_end()) is not None:
                sentences += self._cut(end)
        return sentences

    def finish(self) -> list[Sentence]:
        """End the text; give its last, unfinished sentence."""
        return self._cut(len(self._pending))

    def peek(self) -> list[Sentence]:
        """Give the unfinished sentence as it stands, and keep it."""
        return _read(self.settled, self._pending, thinking=self.thinking) if self._pending else []

    @property
    def blank_to(self) -> int:
        """Where the white space ends with which the unfinished sentence begins."""
        return self.settled + len(self._pending) - len(self._pending.lstrip())

    def _next_end(self) -> int | None:
        """Find the end of the first sentence, None while more text could move it."""
        text = self._pending
        while (run := _RUN.search(text, self._scanned)) is not None:
            if (ends := self._ends(run)) is None:
                break
            self._scanned = run.end()
            if ends and run.end() <= LONGEST:
                return run.start() if run[0] == "<" else run.end()
        if len(text) <= LONGEST:
            return None
        spaces = list(_SPACE.finditer(text, LONGEST // 2, LONGEST))
        return spaces[-1].end() if spaces else LONGEST

    def _ends(self, run: re.Match[str]) -> bool | None:
        """Tell whether a sentence ends with this run; None while the character after it is not known."""
        if (
            run[0][0] == "\n"
            and run.end() < len(self._pending)
            and (self._coding or _fence(self._pending[: run.start()]))
        ):
            return True
        return _ends(self._pending, run)

    def _cut(self, end: int) -> list[Sentence]:
        text, self._pending = self._pending[:end], self._pending[end:]
        self._scanned = 0
        if text.startswith((_OPEN, _CLOSE)):
            self.thinking = text.startswith(_OPEN)
        if _fence(text.rstrip()):
            self._coding = not self._coding
        start, self.settled = self.settled, self.settled + end
        return _read(start, text, thinking=self.thinking) if text else []


def _fence(text: str) -> bool:
    """Tell whether the last line of a text is the fence of a block of code."""
    if "```" not in text and "~~~" not in text:
        return False
    return _FENCE.match(text, text.rfind("\n") + 1) is not None


def _ends(text: str, run: re.Match[str]) -> bool | None:
    """Tell whether a sentence ends with this run; None while the character after it is not known."""
    if run[0] == "<":
        return _tag_starts(text, run.start())
    if run.end() == len(text):
        return None
    after = text[run.end()]
    if run[0][0] == "\n":
        return not after.islower()
    if not run[0].isascii() and any(mark in run[0] for mark in "。！？…"):
        return True
    if after.isspace() or run[0][-1] == "\n":
        return run[0][0] != "." or not _ABBREVIATION.search(text, max(0, run.start() - 8), run.start())
    return run[0][0] in "!?" and not after.isascii()


def _tag_starts(text: str, at: int) -> bool | None:
    """Tell whether a tag stands here, other than at the very start, where it is part of what is read."""
    seen = text[at : at + len(_CLOSE)]
    if seen.startswith((_OPEN, _CLOSE)):
        return at > 0
    return None if _OPEN.startswith(seen) or _CLOSE.startswith(seen) else False


def _read(start: int, text: str, *, thinking: bool) -> list[Sentence]:
    for tag in (_OPEN, _CLOSE):
        if text.startswith(tag):
            return [Sentence(start + len(tag), text[len(tag) :], tag == _OPEN, tag == _CLOSE)]
    return [Sentence(start, text, thinking)]
