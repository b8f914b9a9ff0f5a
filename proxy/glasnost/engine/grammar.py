"""Grammars that an answer must keep to, in llama.cpp's notation (GBNF), and how one is put together."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

#: About a tenth of a second.
MAX_WORK = 500_000

_WORD = re.compile(r"[^A-Za-z0-9]+")
_SPECIAL = re.compile(r"[^ !#-\[\]-~]")


@dataclass(frozen=True, slots=True)
class Grammar:
    """What an answer may be: GBNF whose rule `root` is the whole of it.

    With `triggers` (Python regular expressions) the answer is free until one is found in what was generated; from the
    start of its first group, or of the match where it has none, the text must then be a `root`. A match may be at
    most 256 characters long.
    """

    text: str
    triggers: tuple[str, ...] = ()


class Rules:
    """A grammar under construction: rules are added by name, and `text` gives the GBNF of all of them."""

    def __init__(self) -> None:
        #: How much more work may be done for this grammar, a character of it being one; those who add much look at it.
        self.room = MAX_WORK
        self._bodies: dict[str, str] = {}
        self._taken: dict[str, int] = {}
        self._remembered: dict[str, str] = {}

    def name(self, wanted: str) -> str:
        """Take a free name like `wanted`, for a rule that is set later: a rule may refer to itself."""
        base = name = _WORD.sub("-", wanted[:80]).strip("-").lower()[:16] or "rule"
        while name in self._bodies:
            self._taken[base] = self._taken.get(base, 1) + 1
            name = f"{base}-{self._taken[base]}"
        self._bodies[name] = ""
        return name

    def set(self, name: str, body: str) -> None:
        """Say what the rule of a taken name is."""
        self._bodies[name] = body
        self.room -= len(body)

    def add(self, wanted: str, body: str) -> str:
        """Add a rule and give the name that it got, which is `wanted` unless that is taken or no name for a rule."""
        name = self.name(wanted)
        self.set(name, body)
        return name

    def once(self, name: str, body: str) -> str:
        """Give the name of a rule that parts of a grammar share; it has capitals, which no other rule's name has."""
        self._bodies.setdefault(name, body)
        return name

    def remembered(self, key: str, add: Callable[[], str]) -> str:
        """Give the name of the rule that `add` adds, which it does only the first time for each key."""
        if key not in self._remembered:
            self._remembered[key] = add()
        return self._remembered[key]

    def text(self) -> str:
        """Give the grammar; one of its rules must have been added as `root`."""
        return "".join(f"{name} ::= {body}\n" for name, body in self._bodies.items())


def literal(text: str) -> str:
    """Give the GBNF of a fixed text."""
    return f'"{_SPECIAL.sub(lambda found: _character(ord(found[0])), text)}"'


def until(rules: Rules, end: str) -> str:
    """Add the rule of a text that goes on to the first `end`, that included, and give its name.

    A rule for each character of `end` that may have come: the first one that does not fit leads back to the longest
    beginning of `end` that the text then ends with.
    """
    names = [rules.name("until") for _ in end]
    letters = "".join(_in_class(letter) for letter in dict.fromkeys(end))
    for size, name in enumerate(names):
        ways = [f"[^{letters}] {names[0]}"]
        for letter in dict.fromkeys(end):
            text = end[:size] + letter
            fits = next(length for length in range(len(text), -1, -1) if text.endswith(end[:length]))
            ways.append(literal(letter) if fits == len(end) else f"{literal(letter)} {names[fits]}")
        rules.set(name, " | ".join(ways))
    return names[0]


def _in_class(character: str) -> str:
    return f"\\U{ord(character):08X}"


def _character(code: int) -> str:
    return f"\\x{code:02X}" if code < 0x100 else f"\\U{code:08X}"
