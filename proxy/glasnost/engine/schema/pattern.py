"""Regular expressions, the part of them that patterns of JSON schemas commonly use, read into an automaton."""

from __future__ import annotations

import re
from collections.abc import Callable

from glasnost.engine.schema import characters
from glasnost.engine.schema.automaton import Automaton, Part
from glasnost.engine.schema.characters import PatternError

MAX_LENGTH = 500
MAX_NESTING = 10

_COUNTED = re.compile(r"\{([0-9]{1,4})(?:(,)([0-9]{1,4})?)?\}")
_SIMPLE = {"*": (0, None), "+": (1, None), "?": (0, 1)}

#: Adds a part of the pattern to the automaton, new states each time it is called.
_Maker = Callable[[], Part]


def read_pattern(text: str) -> Automaton:
    """Give the automaton of the strings that a pattern is found in; PatternError tells what is not supported."""
    if len(text) > MAX_LENGTH:
        raise PatternError(f"is longer than {MAX_LENGTH} characters")
    return _Reader(text).whole()


class _Reader:
    """Reads a pattern from left to right."""

    def __init__(self, text: str) -> None:
        self._automaton = Automaton()
        self._text = text
        self._at = 0
        self._starts = text.startswith("^")
        self._ends = False

    def whole(self) -> Automaton:
        """Read all of it; without `^` anything may stand before, without `$` behind."""
        self._at = int(self._starts)
        part = self._alternatives(0)
        if self._at < len(self._text):
            raise PatternError(f"does not understand `{self._text[self._at]}` at character {self._at + 1}")
        anything = self._repeat(lambda: self._automaton.one(characters.ANY), 0, None)
        makers = [*([] if self._starts else [anything]), part, *([] if self._ends else [anything])]
        self._automaton.finish(self._row(makers)())
        return self._automaton

    def _alternatives(self, depth: int) -> _Maker:
        if depth > MAX_NESTING:
            raise PatternError(f"is nested more than {MAX_NESTING} groups deep")
        makers = [self._sequence(depth)]
        while self._skip("|"):
            makers.append(self._sequence(depth))
        if len(makers) == 1:
            return makers[0]
        if depth == 0 and (self._starts or self._ends):
            raise PatternError("must have its alternatives in a group where it has `^` or `$`: ^(?:a|b)$")
        return lambda: self._automaton.any_of([make() for make in makers])

    def _sequence(self, depth: int) -> _Maker:
        makers = []
        while self._at < len(self._text) and self._text[self._at] not in "|)":
            if depth == 0 and self._text[self._at :] == "$":
                self._ends = self._skip("$")
                break
            makers.append(self._repeated(self._atom(depth)))
        return self._row(makers)

    def _row(self, makers: list[_Maker]) -> _Maker:
        return lambda: self._automaton.row(make() for make in makers)

    def _atom(self, depth: int) -> _Maker:
        if not self._skip("("):
            found, self._at = characters.read(self._text, self._at)
            return lambda: self._automaton.one(found)
        if self._skip("?") and not self._skip(":"):
            raise PatternError("may have groups (...) and (?:...) only")
        inner = self._alternatives(depth + 1)
        if not self._skip(")"):
            raise PatternError("lacks a `)`")
        return inner

    def _repeated(self, make: _Maker) -> _Maker:
        least, most = self._times()
        if (least, most) == (1, 1):
            return make
        if self._text[self._at : self._at + 1] in tuple("*+?{"):
            raise PatternError(f"repeats a repetition at character {self._at + 1}")
        if most is not None and least > most:
            raise PatternError("has a repetition whose least is more than its most")
        return self._repeat(make, least, most)

    def _repeat(self, make: _Maker, least: int, most: int | None) -> _Maker:
        def parts() -> Part:
            sure = self._automaton.row(make() for _ in range(least))
            if most is None:
                return self._automaton.row([sure, self._automaton.loop(make())])
            return self._automaton.row([sure, self._automaton.up_to(make() for _ in range(most - least))])

        return parts

    def _times(self) -> tuple[int, int | None]:
        """Read how often what came last is repeated."""
        most: int | None
        sign = self._text[self._at : self._at + 1]
        if found := _COUNTED.match(self._text, self._at):
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

    def _skip(self, character: str) -> bool:
        if self._text.startswith(character, self._at):
            self._at += 1
            return True
        return False
