"""The items of an array: those with a place of their own, and the rest."""

from __future__ import annotations

from dataclasses import dataclass

from glasnost.engine.schema.document import Document, Place
from glasnost.engine.schema.repeat import MAX_ITEMS
from glasnost.engine.schema.shape import array_counts


@dataclass(frozen=True, slots=True)
class Items:
    """`first` come once each, in order, then any number of `rest` (None: no more), `least` to `most` in all."""

    first: tuple[Place, ...]
    rest: Place | None
    least: int
    most: int | None


def items_of(document: Document, place: Place) -> Items:
    """Read an array's keywords; all of `prefixItems` are always there."""
    schema = place.schema
    keyword = "items" if isinstance(schema.get("items"), list) else "prefixItems"
    parts = schema.get(keyword, [])
    if not isinstance(parts, list):
        raise document.wrong(place, f"`{keyword}` must be an array of schemas")
    first = tuple(place.at(keyword, index) for index in range(len(parts)))
    rest = _rest(place, "additionalItems" if keyword == "items" else "items", named=bool(first))
    least, most = array_counts(document, place)
    if least > MAX_ITEMS:
        raise document.wrong(place, f"`minItems` must be at most {MAX_ITEMS}")
    if most is not None and most <= len(first):
        first, rest = first[:most], None
    if rest is None and least > len(first):
        raise document.wrong(place, "`minItems` asks for more items than there may be")
    return Items(first, rest, max(least, len(first)), most)


def _rest(place: Place, keyword: str, *, named: bool) -> Place | None:
    schema = place.schema.get(keyword)
    # Without a word, what follows named items could be anything; that nothing does is valid too.
    if schema is False or (schema is None and named and not place.schema.get("minItems")):
        return None
    return Place(f"{place.pointer}/{keyword}", True if schema is None else schema)
