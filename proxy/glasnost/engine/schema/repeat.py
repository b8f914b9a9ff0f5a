"""Counted repetitions as rules: llama.cpp writes each one out."""

from __future__ import annotations

from math import isqrt

from glasnost.engine.grammar import Rules

#: What may be longer is not allowed to be, what must be is refused.
MAX_CHARACTERS = 100_000
MAX_ITEMS = 1_000
_DIRECT = 64


def items(atom: str, least: int, most: int | None) -> str:
    """Give `atom`, the name of a rule, from `least` to `most` times in a row."""
    if most is None:
        return f"{atom}{{{least},}}"
    return f"{atom}{{{least},{min(most, MAX_ITEMS)}}}" if most else ""


def characters(rules: Rules, atom: str, least: int, most: int | None) -> str:
    """Give the same for characters, of which there may be many: in blocks of about the root of their number.

    At the end of a block two ways are open, another block or the rest. That would not do for items, within which
    there are others: with each level of arrays the ways would double.
    """
    if most is None:
        return f"{_exactly(rules, atom, least)} {atom}*".strip()
    parts = (_exactly(rules, atom, least), _at_most(rules, atom, min(most, MAX_CHARACTERS) - least))
    return " ".join(filter(None, parts)) or '""'


def _exactly(rules: Rules, atom: str, times: int) -> str:
    if times <= _DIRECT:
        return f"{atom}{{{times}}}" if times else ""
    size = isqrt(times)
    rest = f" {atom}{{{times % size}}}" if times % size else ""
    return f"{_block(rules, atom, size)}{{{times // size}}}{rest}"


def _at_most(rules: Rules, atom: str, times: int) -> str:
    if times <= _DIRECT:
        return f"{atom}{{0,{times}}}" if times else ""
    # Every number up to `times` is so many blocks and a rest of less than two of them.
    size = isqrt(times)
    blocks = (times - size + 1) // size
    return f"{_block(rules, atom, size)}{{0,{blocks}}} {atom}{{0,{times - blocks * size}}}"


def _block(rules: Rules, atom: str, size: int) -> str:
    return rules.once(f"{atom}-X{size}", f"{atom}{{{size}}}")
