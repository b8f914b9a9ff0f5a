"""Numbers and their bounds as rules."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from glasnost.engine.schema.document import Document, Place

# Sixteen digits: what a double holds, and no endless row of them.
_MOST = 10**16 - 1
_ANY = '"0" | [1-9] [0-9]{0,15}'
_FRACTION = '("." [0-9]{1,16})?'
_BOUNDS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")


@dataclass(frozen=True, slots=True)
class _Bound:
    """A whole number; `open` when the number itself is not among those allowed."""

    at: int
    open: bool = False

    def mirrored(self) -> _Bound:
        return _Bound(-self.at, self.open)


def integer(document: Document, place: Place) -> str:
    """Give the rule body of an integer within the bounds of a schema."""
    if place.schema.get("multipleOf", 1) != 1:
        raise document.wrong(place, "`multipleOf` is not supported; remove it")
    values = _bounds(document, place)
    if not values:
        return f'"-"? ({_ANY})'
    least = max(math.ceil(values.get("minimum", -_MOST)), math.floor(values.get("exclusiveMinimum", -_MOST - 1)) + 1)
    most = min(math.floor(values.get("maximum", _MOST)), math.ceil(values.get("exclusiveMaximum", _MOST + 1)) - 1)
    least, most = max(least, -_MOST), min(most, _MOST)
    if least > most:
        raise document.wrong(place, "no integer of up to 16 digits is within these bounds")
    parts = [f'"-" ({_digits(max(1, -most), -least)})'] if least < 0 else []
    parts += [_digits(max(0, least), most)] if most >= 0 else []
    return " | ".join(parts)


def number(document: Document, place: Place) -> str:
    """Give the rule body of a number within the bounds of a schema, which must be whole numbers."""
    if "multipleOf" in place.schema:
        raise document.wrong(place, "`multipleOf` is not supported; remove it")
    values = _bounds(document, place)
    if not values:
        return f'"-"? ({_ANY}) {_FRACTION} ([eE] [-+]? [0-9]{{1,2}})?'
    if any(value != math.floor(value) for value in values.values()):
        raise document.wrong(place, "the bounds of a `number` must be whole numbers; round them")
    low = _lower(values)
    high = _lower({key: -value for key, value in values.items()}, "maximum", "exclusiveMaximum").mirrored()
    parts = []
    if low.at < 0:
        nearest = high.mirrored() if high.at < 0 else _Bound(0, open=True)
        parts += [f'"-" ({body})' for body in _magnitudes(nearest, low.mirrored())]
    if high.at >= 0:
        parts += _magnitudes(_Bound(0) if low.at < 0 else low, high)
    if not parts:
        raise document.wrong(place, "no number of up to 16 digits is within these bounds")
    return " | ".join(parts)


def _bounds(document: Document, place: Place) -> dict[str, float]:
    values: dict[str, float] = {}
    for keyword in _BOUNDS:
        value: Any = place.schema.get(keyword)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise document.wrong(place, f"`{keyword}` must be a number")
        values[keyword] = max(-_MOST - 1, min(_MOST + 1, value))
    return values


def _lower(values: dict[str, float], closed: str = "minimum", opened: str = "exclusiveMinimum") -> _Bound:
    at = values.get(closed, -_MOST)
    if opened in values and values[opened] >= at:
        return _Bound(int(values[opened]), open=True)
    return _Bound(max(int(at), -_MOST))


def _magnitudes(low: _Bound, high: _Bound) -> list[str]:
    """Give the decimal numbers from `low` to `high`, both from 0 on."""
    first = low.at + low.open
    parts = []
    if first < high.at:
        parts.append(f"({_digits(first, high.at - 1)}) {_FRACTION}")
    if low.open and low.at < high.at:
        parts.append(f'"{low.at}." [0-9]{{0,15}} [1-9]')
    if not high.open and first <= high.at:
        parts.append(f'"{high.at}" ("." "0"{{1,4}})?')
    return parts


def _digits(least: int, most: int) -> str:
    """Give the whole numbers from `least` to `most`, both from 0 on, without leading zeros."""
    parts = []
    for length in range(len(str(least)), len(str(most)) + 1):
        low = max(least, 10 ** (length - 1) if length > 1 else 0)
        parts.append(_same_length(str(low), str(min(most, 10**length - 1))))
    return " | ".join(parts)


def _same_length(low: str, high: str) -> str:
    if not low:
        return ""
    if set(low[1:]) <= {"0"} and set(high[1:]) <= {"9"}:
        rest = f" [0-9]{{{len(low) - 1}}}" if len(low) > 1 else ""
        return _digit(int(low[0]), int(high[0])) + rest
    if low[0] == high[0]:
        return f'"{low[0]}" ({_same_length(low[1:], high[1:])})'
    left = len(low) - 1
    parts = [f'"{low[0]}" ({_same_length(low[1:], "9" * left)})']
    if int(low[0]) + 1 < int(high[0]):
        parts.append(f"{_digit(int(low[0]) + 1, int(high[0]) - 1)} [0-9]{{{left}}}")
    parts.append(f'"{high[0]}" ({_same_length("0" * left, high[1:])})')
    return " | ".join(parts)


def _digit(low: int, high: int) -> str:
    return f'"{low}"' if low == high else f"[{low}-{high}]"
