r"""Patterns of a small kind as the literal parts that a text must hold: what an Aho-Corasick automaton can look for.

The kind: characters, `(?:a|b)`, `x?` and `(?:a|b)?`, alternatives, and between them gaps such as `[^。!?]*` or
`[^。!?]{0,10}`, outside of brackets; `^` and `\\W*` may stand first. Nothing else means anything here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_GAP = re.compile(r"\[\^[^\]]+\](?:\*|\{\d+,\d+\})|^\^|\\W\*")


@dataclass(frozen=True, slots=True)
class Alternative:
    """One of the ways in which a pattern can match: its parts in order, each as the literals that it may be."""

    parts: tuple[frozenset[str], ...]
    exact: bool  # a single part, which stands for the whole alternative


def alternatives(pattern: str) -> list[Alternative]:
    """Read a pattern; ValueError where it is of another kind."""
    return [_alternative(text) for text in _branches(pattern)]


def _alternative(text: str) -> Alternative:
    parts = [part for part in _GAP.split(text) if part]
    expanded = tuple(frozenset(expand(part)) for part in parts)
    if not expanded or any("" in part for part in expanded):
        raise ValueError(f"nothing to look for in {text!r}")
    return Alternative(expanded, exact=parts == [text])


def expand(text: str) -> list[str]:
    """Give every literal that a part without gaps stands for."""
    found: list[str] = []
    for branch in _branches(text):
        literals = [""]
        for optional, choices in _atoms(branch):
            longer = [before + after for before in literals for after in choices]
            literals = longer + literals if optional else longer
        found += literals
    return found


def _branches(text: str) -> list[str]:
    """Split at the `|` outside of brackets."""
    found, depth, start = [], 0, 0
    for at, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if character == "|" and not depth:
            found.append(text[start:at])
            start = at + 1
    return [*found, text[start:]]


def _atoms(branch: str) -> list[tuple[bool, list[str]]]:
    """Read the characters and groups of a branch as (optional, literals)."""
    found: list[tuple[bool, list[str]]] = []
    at = 0
    while at < len(branch):
        end = _closing(branch, at) if branch.startswith("(?:", at) else at + 1
        atom = branch[at:end]
        if atom in (*"()[]{}*+?\\^$.",):
            raise ValueError(f"{atom!r} in {branch!r}")
        optional = branch[end : end + 1] == "?"
        found.append((optional, expand(atom[3:-1]) if len(atom) > 1 else [atom]))
        at = end + optional
    return found


def _closing(text: str, start: int) -> int:
    depth = 0
    for at in range(start, len(text)):
        depth += (text[at] == "(") - (text[at] == ")")
        if not depth:
            return at + 1
    raise ValueError(f"no closing bracket in {text!r}")
