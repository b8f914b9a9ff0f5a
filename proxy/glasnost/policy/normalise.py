"""Text as the matcher and the detectors see it, with a map back to the offsets of the original.

Rules kept here:
- every character is folded alone (compatibility form, case, diacritics, Traditional to Simplified, quotes and dashes;
  format characters vanish), so the folded form of a prefix is a prefix of the folded form;
- then characters that were set apart are joined: Chinese characters with up to three separators between them, and runs
  of three or more single letters or digits;
- normalising twice changes nothing more, and a span always maps onto the characters that it came from.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

HAN = "\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
"""The inside of a regular expression's character class for Chinese characters."""

_SEPARATORS = r" \t.\u00b7\u2022\u2027\u30fb_\-*|/\\~+=#^"
_SINGLE = "a-z0-9\u0430-\u044f"
_SPACED_HAN = re.compile(f"[{_SEPARATORS}](?<=[{HAN}][{_SEPARATORS}])[{_SEPARATORS}]{{0,2}}(?=[{HAN}])")
_SPELLED = re.compile(f"(?<![{_SINGLE}])[{_SINGLE}](?:[{_SEPARATORS}]{{1,3}}[{_SINGLE}](?![{_SINGLE}])){{2,}}")
# Two neighbouring singles inside a text; what has none of these has no spelled word and skips the slower pattern.
_MAYBE_SPELLED = re.compile(f"[{_SEPARATORS}][{_SINGLE}][{_SEPARATORS}]{{1,3}}[{_SINGLE}](?![{_SINGLE}])")
_NON_ASCII = re.compile(r"[^\x00-\x7f]+")
_NOTHING = re.compile("(?!)")
_SEPARATOR_RUN = re.compile(f"[{_SEPARATORS}]+")

_LOOKALIKES = {
    **dict.fromkeys("\u2018\u2019\u201a\u201b\u02bc\u2032\u00b4", "'"),
    **dict.fromkeys("\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb", '"'),
    **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"),
    **dict.fromkeys("\u115f\u1160\u3164\uffa0\u2800", ""),  # letters that are drawn as nothing
}
_MARKS = ((0x0300, 0x036F), (0x1AB0, 0x1AFF), (0x1DC0, 0x1DFF), (0x20D0, 0x20FF), (0xFE00, 0xFE0F), (0xE0100, 0xE01EF))


@dataclass(frozen=True, slots=True)
class _Edits:
    """Stretches of a text that were replaced, sorted: [from_start, from_end) became [to_start, to_end)."""

    to_start: tuple[int, ...]
    to_end: tuple[int, ...]
    from_start: tuple[int, ...]
    from_end: tuple[int, ...]

    def back(self, start: int, end: int) -> tuple[int, int]:
        """Map a span of the new text onto the old one; an edit that it touches counts whole."""
        first = self._character(start)[0]
        return (first, self._character(end - 1)[1]) if end > start else (first, first)

    def forth(self, at: int) -> int:
        """Map an offset of the old text, outside every edit, onto the new one."""
        index = bisect_right(self.from_start, at) - 1
        return at if index < 0 else at - self.from_end[index] + self.to_end[index]

    def _character(self, at: int) -> tuple[int, int]:
        index = bisect_right(self.to_start, at) - 1
        if index < 0:
            return at, at + 1
        if at < self.to_end[index]:
            return self.from_start[index], self.from_end[index]
        moved = at - self.to_end[index] + self.from_end[index]
        return moved, moved + 1


@dataclass(frozen=True, slots=True)
class Normalised:
    """A normalised text; `joined` lists the spans of `text` that were single letters set apart."""

    text: str
    joined: tuple[tuple[int, int], ...] = ()
    _stages: tuple[_Edits, ...] = ()

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Map offsets into `text` to offsets into the original."""
        for edits in reversed(self._stages):
            start, end = edits.back(start, end)
        return start, end


def normalise(text: str) -> Normalised:
    """Fold and join a text of any length; linear, and about as fast as `str.lower` for plain ASCII."""
    return _join(text.lower(), ()) if text.isascii() else _join(*_fold(text))


def _fold(text: str) -> tuple[str, tuple[_Edits, ...]]:
    table = _table()
    # Looking up every ASCII letter too would double the time; folded letters are lower case already.
    folded = _NON_ASCII.sub(lambda part: part[0].translate(table), text).lower()
    places = [(*found.span(), len(table[ord(found[0])])) for found in table.resized.finditer(text)]
    return folded, (_edits(places),) if places else ()


def _join(folded: str, stages: tuple[_Edits, ...]) -> Normalised:
    runs: list[tuple[int, int]] = []
    gaps: list[tuple[int, int]] = []
    if _MAYBE_SPELLED.search(folded):
        runs = [run.span() for run in _SPELLED.finditer(folded)]
        gaps = [gap.span() for run in runs for gap in _SEPARATOR_RUN.finditer(folded, *run)]
    if not folded.isascii():
        gaps = sorted(gaps + [gap.span() for gap in _SPACED_HAN.finditer(folded)])
    if not gaps:
        return Normalised(folded, (), stages)
    edits = _edits((start, end, 0) for start, end in gaps)
    kept = zip((0, *edits.from_end), (*edits.from_start, len(folded)), strict=True)
    text = "".join(folded[start:end] for start, end in kept)
    return Normalised(text, tuple((edits.forth(start), edits.forth(end)) for start, end in runs), (*stages, edits))


def _edits(places: Iterable[tuple[int, int, int]]) -> _Edits:
    """Build edits from (start, end, new length) in the old text, in order."""
    rows: list[tuple[int, int, int, int]] = []
    moved = 0
    for start, end, length in places:
        rows.append((start + moved, start + moved + length, start, end))
        moved += length - (end - start)
    to_start, to_end, from_start, from_end = zip(*rows, strict=True)
    return _Edits(to_start, to_end, from_start, from_end)


class _FoldTable(dict[int, str]):
    """The folded form of every character met so far, filled as characters are met: there are a million of them."""

    def __init__(self, simplified: Callable[[str], str]) -> None:
        super().__init__()
        self._resized: set[str] = set()
        self._pattern: re.Pattern[str] | None = _NOTHING
        self._simplified = simplified

    @property
    def resized(self) -> re.Pattern[str]:
        """Match any character met so far whose folded form is not one character long."""
        if self._pattern is None:
            self._pattern = re.compile(f"[{''.join(map(re.escape, sorted(self._resized)))}]")
        return self._pattern

    def __missing__(self, code: int) -> str:
        folded = character = chr(code)
        while (again := "".join(map(self._step, folded))) != folded:
            folded = again
        if len(folded) != 1:
            self._resized.add(character)
            self._pattern = None
        self[code] = folded
        return folded

    def _step(self, character: str) -> str:
        if character in _LOOKALIKES:
            return _LOOKALIKES[character]
        bare = "".join(part for part in unicodedata.normalize("NFKD", character) if not _invisible(part))
        return self._simplified(unicodedata.normalize("NFKC", bare.casefold().lower()))


def _invisible(character: str) -> bool:
    code = ord(character)
    return unicodedata.category(character) == "Cf" or any(low <= code <= high for low, high in _MARKS)


@cache
def _table() -> _FoldTable:
    import opencc  # noqa: PLC0415  # its dictionaries load in 10 ms, and only Chinese needs them

    return _FoldTable(opencc.OpenCC("t2s").convert)
