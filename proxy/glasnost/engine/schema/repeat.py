"""Counted repetitions in rules that stay small: llama.cpp writes each one out."""

from __future__ import annotations

from math import isqrt

from glasnost.engine.grammar import Rules

#: No answer is longer than this; what may be longer is not allowed to be, what must be is refused before.
MAX_TIMES = 100_000
_DIRECT = 64


def repeat(rules: Rules, atom: str, least: int, most: int | None) -> str:
    """Give `atom` (the name of a rule that is never empty) from `least` to `most` times in a row.

    Blocks of about the root of the number keep the rules to a few times that root.
    """
    if most is None:
        return f"{_exactly(rules, atom, least)} {atom}*".strip()
    return f"{_exactly(rules, atom, least)} {_at_most(rules, atom, min(most, MAX_TIMES) - least)}".strip() or '""'


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
    return rules.once(f"{atom.upper()}-X{size}", f"{atom}{{{size}}}")
