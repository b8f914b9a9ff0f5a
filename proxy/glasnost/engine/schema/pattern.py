"""Regular expressions as rules: the part of them that patterns of JSON schemas commonly use."""

from __future__ import annotations

import re
from dataclasses import dataclass

from glasnost.engine.grammar import Rules
from glasnost.engine.schema import characters
from glasnost.engine.schema.characters import Characters
from glasnost.engine.schema.document import Document, Place
from glasnost.errors import InvalidRequest

MAX_LENGTH = 500
MAX_NESTING = 10
# How many characters a pattern may stand for when its counted repetitions are written out.
MAX_SIZE = 1000

_COUNTED = re.compile(r"\{([0-9]{1,4})(?:(,)([0-9]{1,4})?)?\}")
_SIMPLE = {"*": (0, None), "+": (1, None), "?": (0, 1)}


@dataclass(frozen=True, slots=True)
class _Part:
    """A piece of GBNF, whether it may be empty, and how many characters it writes out."""

    body: str
    empty: bool
    size: int


def pattern_body(rules: Rules, document: Document, place: Place, any_character: str) -> str:
    """Give the body that matches what a `pattern` does within a JSON string.

    Without `^` anything may stand before it, without `$` behind it. InvalidRequest for what is not supported.
    """
    text = place.schema["pattern"]
    if not isinstance(text, str) or len(text) > MAX_LENGTH:
        raise document.wrong(place, f"`pattern` must be a string of at most {MAX_LENGTH} characters")
    reader = _Reader(rules, document, place, text)
    body = reader.whole()
    before = "" if text.startswith("^") else f"{any_character}*"
    behind = "" if reader.anchored else f"{any_character}*"
    return f"{before} ({body}) {behind}".strip()


class _Reader:
    """Reads a pattern from left to right."""

    def __init__(self, rules: Rules, document: Document, place: Place, text: str) -> None:
        self.anchored = False
        self._rules = rules
        self._document = document
        self._place = place
        self._text = text
        self._at = 0

    def whole(self) -> str:
        self._skip("^")
        part = self._alternatives(0)
        if self._at < len(self._text):
            raise self._wrong(f"does not understand `{self._text[self._at]}` at character {self._at + 1}")
        if part.size > MAX_SIZE:
            raise self._wrong(f"stands for more than {MAX_SIZE} characters; lower its repetitions")
        return part.body

    def _alternatives(self, depth: int) -> _Part:
        if depth > MAX_NESTING:
            raise self._wrong(f"is nested more than {MAX_NESTING} groups deep")
        parts = [self._sequence(depth)]
        while self._skip("|"):
            if depth == 0 and (self.anchored or self._text.startswith("^")):
                raise self._wrong("must have its alternatives in a group where it has `^` or `$`: ^(?:a|b)$")
            parts.append(self._sequence(depth))
        if depth == 0 and self.anchored and len(parts) > 1:
            raise self._wrong("must have its alternatives in a group where it has `^` or `$`: ^(?:a|b)$")
        body = " | ".join(part.body or '""' for part in parts)
        return _Part(body, any(part.empty for part in parts), sum(part.size for part in parts))

    def _sequence(self, depth: int) -> _Part:
        parts: list[_Part] = []
        while self._at < len(self._text) and self._text[self._at] not in "|)":
            if depth == 0 and self._text[self._at :] == "$":
                self.anchored = self._skip("$")
                break
            parts.append(self._repeated(self._atom(depth)))
        empty, size = all(part.empty for part in parts), sum(part.size for part in parts)
        return _Part(" ".join(part.body for part in parts), empty, size)

    def _atom(self, depth: int) -> _Part:
        if self._skip("("):
            if self._skip("?") and not self._skip(":"):
                raise self._wrong("may have groups (...) and (?:...) only")
            inner = self._alternatives(depth + 1)
            if not self._skip(")"):
                raise self._wrong("lacks a `)`")
            # A rule of its own: llama.cpp counts what groups in groups repeat together.
            return _Part(self._rules.add("group", inner.body), inner.empty, inner.size)
        try:
            found, self._at = characters.read(self._text, self._at)
        except ValueError as error:
            raise self._wrong(str(error)) from error
        return _Part(self._body(found), empty=False, size=1)

    def _repeated(self, part: _Part) -> _Part:
        least, most = self._times()
        if (least, most) == (1, 1):
            return part
        if part.empty and most != 1:
            raise self._wrong("repeats what may be empty")
        if most is not None and least > most:
            raise self._wrong("has a repetition whose least is more than its most")
        if self._at < len(self._text) and self._text[self._at] in "*+?{":
            raise self._wrong(f"repeats a repetition at character {self._at + 1}")
        if most == 0:
            return _Part("", empty=True, size=0)
        size = part.size * (least + 1 if most is None else most)
        if size > MAX_SIZE:
            raise self._wrong(f"stands for more than {MAX_SIZE} characters; lower its repetitions")
        times = f"{{{least},}}" if most is None else f"{{{least},{most}}}"
        return _Part(f"{part.body}{times}", part.empty or least == 0, size)

    def _times(self) -> tuple[int, int | None]:
        """Read how often what came last is repeated."""
        found = _COUNTED.match(self._text, self._at)
        sign = self._text[self._at : self._at + 1]
        most: int | None
        if found:
            self._at = found.end()
            least = int(found[1])
            most = least if not found[2] else int(found[3]) if found[3] else None
        elif sign and sign in _SIMPLE:
            self._at += 1
            least, most = _SIMPLE[sign]
        else:
            return 1, 1
        # Whether a repetition is greedy makes no difference to what matches.
        self._skip("?")
        return least, most

    def _body(self, found: Characters) -> str:
        parts = found.as_json()
        if not parts:
            raise self._wrong("has a class of characters that holds none")
        return parts[0] if len(parts) == 1 else self._rules.add("class", " | ".join(parts))

    def _skip(self, character: str) -> bool:
        if self._text.startswith(character, self._at):
            self._at += 1
            return True
        return False

    def _wrong(self, problem: str) -> InvalidRequest:
        return self._document.wrong(self._place, f"`pattern` {problem}")
