"""How a call is written in one line of notation, and all that follows from it: how to read it, when it opens.

A shape is literal text with four marks: `␣` is white space that may be there, `⟨name⟩` the tool's name, `⟨arguments⟩`
its JSON object, and `▸` the place from which on the text can be nothing but a call. Reading, the trigger of a lazy
grammar and the grammar itself are all made of the same shape, so that they cannot disagree.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

NAME, ARGUMENTS, SPACE, SURE = "⟨name⟩", "⟨arguments⟩", "␣", "▸"
#: White space between the parts of a call, the same for all who read or write it; bounded, so that it cannot go on.
BLANK = r"[ \t\r\n]{0,8}"

_MARKS = re.compile(f"({NAME}|{ARGUMENTS}|{SPACE}|{SURE})")
_ANY_NAME = r"[A-Za-z0-9_-]{1,64}"


def parts(shape: str) -> list[str]:
    """Split a shape into its marks and the texts between them."""
    return [part for part in _MARKS.split(shape) if part]


@cache
def opening(shapes: tuple[str, ...], at_start: tuple[str, ...] = ()) -> re.Pattern[str]:
    """Search for a call up to its arguments, group `name...`, or for what may become one at the end of the text.

    The shapes `at_start` count at the beginning of the text only. White space before a call belongs to it.
    """
    heads = [(SPACE + shape.partition(ARGUMENTS)[0], "") for shape in shapes]
    heads += [(SPACE + shape.partition(ARGUMENTS)[0], r"\A") for shape in at_start]
    whole = (anchor + _exact(head, f"name{number}") + r"(?=\{)" for number, (head, anchor) in enumerate(heads))
    begun = (anchor + _begun([*_atoms(head), r"\{"]) for head, anchor in heads)
    return re.compile("|".join([*whole, *begun]))


@cache
def closing(text: str) -> re.Pattern[str]:
    """Match what follows the arguments of a shape, group `end`, or the beginning of it at the end of the text."""
    return re.compile(f"(?P<end>{_exact(text, '')})|" + _begun(_atoms(text)))


def trigger(shape: str, names: Iterable[str], *, start: str = "") -> str:
    """Give the regex that finds a call of one of the names which has opened, as its first group, behind `start`.

    It matches only while all of the text behind `▸` is what the grammar allows: the token that completes a trigger
    may bring along something that the grammar does not take.
    """
    sure, _, rest = shape.partition(SURE)
    rest = rest.partition(ARGUMENTS if NAME in sure else NAME)[0]
    head = "".join(_atoms(sure, "(?:" + "|".join(names) + ")"))
    return (start and start + BLANK) + f"({head}{_begun(_atoms(rest))})"


def _exact(text: str, group: str) -> str:
    return "".join(_atoms(text, f"(?P<{group}>{_ANY_NAME})"))


def _begun(atoms: list[str]) -> str:
    """Match any beginning of the atoms, up to all of them, if the text ends there."""
    pattern = r"\Z"
    for atom in reversed(atoms):
        pattern = rf"(?:\Z|{atom}{pattern})"
    return pattern


def _atoms(text: str, name: str = _ANY_NAME) -> list[str]:
    marks = {SPACE: [BLANK], NAME: [name], SURE: []}
    return [atom for part in parts(text) for atom in marks.get(part, [re.escape(letter) for letter in part])]
