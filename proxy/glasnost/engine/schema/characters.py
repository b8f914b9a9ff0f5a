r"""Classes of characters in a regular expression: `a`, `.`, `\d`, `[^a-z]`, and how they stand in a JSON string.

Where dialects differ (`\w` of ECMAScript is ASCII, of Python not), a class holds what both of them hold.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

_LAST = 0x10FFFF
_DIGIT = ((0x30, 0x39),)
_WORD = ((0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A))
_SPACE = ((0x09, 0x0D), (0x20, 0x20))
# What either of the two dialects calls a space.
_SPACES = (
    *((0x09, 0x0D), (0x1C, 0x20), (0x85, 0x85), (0xA0, 0xA0), (0x1680, 0x1680), (0x2000, 0x200A)),
    *((0x2028, 0x2029), (0x202F, 0x202F), (0x205F, 0x205F), (0x3000, 0x3000), (0xFEFF, 0xFEFF)),
)
_ENDS = ((0x0A, 0x0A), (0x0D, 0x0D), (0x2028, 0x2029))
_CONTROLS = {"n": 0x0A, "r": 0x0D, "t": 0x09, "f": 0x0C, "v": 0x0B}
_ESCAPED = {0x08: "b", 0x09: "t", 0x0A: "n", 0x0C: "f", 0x0D: "r", 0x22: '\\"', 0x5C: "\\\\"}
_NEVER_PLAIN = ((0, 0x1F), (0x22, 0x22), (0x5C, 0x5C), (0xD800, 0xDFFF))
_SYNTAX = frozenset("^$\\.*+?()[]{}|/-")
_META = frozenset("^$*+?{}()|[]")


class PatternError(Exception):
    """What is not supported of a pattern, as what the pattern does: "lacks a `)`"."""


Ranges = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Characters:
    """A set of code points, as sorted ranges that do not touch."""

    ranges: Ranges

    @classmethod
    def of(cls, *ranges: tuple[int, int]) -> Characters:
        """Join ranges that overlap or touch."""
        joined: list[tuple[int, int]] = []
        for low, high in sorted(ranges):
            if joined and low <= joined[-1][1] + 1:
                joined[-1] = (joined[-1][0], max(high, joined[-1][1]))
            else:
                joined.append((low, high))
        return cls(tuple(joined))

    def others(self, last: int = _LAST) -> Characters:
        """Give the code points up to `last` that are not here."""
        start, gaps = 0, []
        for low, high in self.ranges:
            gaps.append((start, low - 1))
            start = high + 1
        gaps.append((start, last))
        return Characters(tuple((low, min(high, last)) for low, high in gaps if low <= min(high, last)))

    def as_json(self) -> tuple[str, ...]:
        """Give GBNF for one of them in a JSON string: a class of those that stand for themselves, and the escapes."""
        return _as_json(self.ranges)


#: Any character at all.
ANY = Characters(((0, _LAST),))


def read(text: str, at: int) -> tuple[Characters, int]:
    """Read the class that begins at a character, and give where it ends; PatternError says what is wrong there."""
    if text[at] == "[":
        return _set(text, at + 1)
    if text[at] == "\\":
        return _escape(text, at + 1)
    if text[at] == ".":
        return Characters.of(*_ENDS).others(), at + 1
    if text[at] in _META:
        raise PatternError(f"does not understand `{text[at]}` at character {at + 1}")
    return _one(ord(text[at])), at + 1


def _one(code: int) -> Characters:
    return Characters(((code, code),))


def _set(text: str, at: int) -> tuple[Characters, int]:
    negated = text.startswith("^", at)
    at += negated
    found: list[tuple[int, int]] = []
    last = _LAST
    while not text.startswith("]", at):
        if at >= len(text):
            raise PatternError("lacks a `]`")
        if text.startswith("\\", at) and text[at + 1 : at + 2] in tuple("wWdD"):
            # The other dialect's digits and letters are not ruled out by ours.
            last = 0x7F
        low, at = _member(text, at)
        if text.startswith("-", at) and not text.startswith("-]", at):
            high, at = _member(text, at + 1)
            low = _between(low, high)
        found += low.ranges
    characters = Characters.of(*found)
    return (characters.others(last) if negated else characters), at + 1


def _member(text: str, at: int) -> tuple[Characters, int]:
    if text.startswith("\\", at):
        return _escape(text, at + 1)
    if at >= len(text):
        raise PatternError("lacks a `]`")
    return _one(ord(text[at])), at + 1


def _between(low: Characters, high: Characters) -> Characters:
    if any(len(end.ranges) != 1 or end.ranges[0][0] != end.ranges[0][1] for end in (low, high)):
        raise PatternError("has a range whose end is no single character")
    first, last = low.ranges[0][0], high.ranges[0][0]
    if first > last:
        raise PatternError("has a range that runs backwards")
    return Characters(((first, last),))


def _escape(text: str, at: int) -> tuple[Characters, int]:
    character = text[at : at + 1]
    classes = {
        "d": Characters(_DIGIT),
        "D": Characters(_DIGIT).others(0x7F),
        "w": Characters(_WORD),
        "W": Characters(_WORD).others(0x7F),
        "s": Characters(_SPACE),
        "S": Characters(_SPACES).others(),
    }
    if character and character in classes:
        return classes[character], at + 1
    if character and character in _CONTROLS:
        return _one(_CONTROLS[character]), at + 1
    if character in ("x", "u"):
        size = 2 if character == "x" else 4
        digits = text[at + 1 : at + 1 + size]
        if len(digits) == size and all(digit in "0123456789abcdefABCDEF" for digit in digits):
            return _one(int(digits, 16)), at + 1 + size
    if character in _SYNTAX or (character and not character.isalnum() and character.isascii()):
        return _one(ord(character)), at + 1
    raise PatternError(f"does not understand `\\{character}` at character {at}")


def _range(low: int, high: int) -> str:
    return f"\\U{low:08X}" if low == high else f"\\U{low:08X}-\\U{high:08X}"


@lru_cache(256)
def _as_json(ranges: Ranges) -> tuple[str, ...]:
    escapes = [code for code in _ESCAPED if any(low <= code <= high for low, high in ranges)]
    # Controls and surrogates are no characters of a JSON string.
    outside = Characters.of(*Characters(ranges).others().ranges, *_NEVER_PLAIN)
    plain = "".join(_range(low, high) for low, high in outside.others().ranges)
    parts = (f"[{plain}]",) if plain else ()
    return (*parts, *(f'"\\\\{_ESCAPED[code]}"' for code in escapes))
