"""What a schema's places lead to, and two things that must hold all along: that values end, and that few are open."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from glasnost.engine.schema.disjoint import confusable
from glasnost.engine.schema.document import Place
from glasnost.engine.schema.items import items_of
from glasnost.engine.schema.reader import Reader
from glasnost.engine.schema.shape import Shape

# How many ways may be open at once because of unions within unions.
MAX_OPEN = 64
# How many optional properties count as one of them.
_OPTIONAL = 8
# What it costs, in characters of a grammar, to look at a shape, at a place below it, and at a pair of shapes.
_SHAPE, _CHILD, _PAIR = 30, 4, 8


@dataclass(frozen=True, slots=True)
class Node:
    """A place, its shapes, and for each shape the places below it: all of them, and those that must be there."""

    place: Place
    shapes: tuple[Shape, ...]
    below: tuple[tuple[str, ...], ...]
    needed: tuple[tuple[str, ...], ...]


def nodes_of(reader: Reader, root: Place) -> dict[str, Node]:
    """Give every place that values can reach, by its pointer, the root first."""
    nodes: dict[str, Node] = {}
    work = [root]
    while work:
        place = work.pop()
        if place.pointer in nodes:
            continue
        shapes = reader.shapes(place)
        places = [_below(reader, shape) for shape in shapes]
        reader.document.spend(sum(_SHAPE + _CHILD * len(below) for below, _ in places))
        nodes[place.pointer] = Node(
            place,
            shapes,
            tuple(tuple(child.pointer for child in below) for below, _ in places),
            tuple(tuple(child.pointer for child in needed) for _, needed in places),
        )
        work += (child for below, _ in places for child in reversed(below))
    return nodes


def check(reader: Reader, nodes: Mapping[str, Node]) -> None:
    """Refuse a schema with a place whose values never end, or with more ways open at once than can be followed."""
    ending = _ending(nodes)
    for pointer in nodes:
        if pointer not in ending:
            raise reader.document.wrong(pointer, "every value here must hold another one like it, without end")
    _check_open(reader, nodes)


def _check_open(reader: Reader, nodes: Mapping[str, Node]) -> None:
    widths = {pointer: _width(reader, node) for pointer, node in nodes.items()}
    above: dict[str, list[str]] = {pointer: [] for pointer in nodes}
    for pointer, node in nodes.items():
        for child in {child for part in node.below for child in part}:
            above[child].append(pointer)
    open_ways = {pointer: max(widths[pointer], _own(node)) for pointer, node in nodes.items()}
    work = [pointer for pointer in nodes if open_ways[pointer] > 1]
    while work:
        child = work.pop()
        if open_ways[child] > MAX_OPEN:
            raise reader.document.wrong(
                child,
                "its alternatives cannot be told apart while they are written; give each a required first property "
                "with a `const` of its own",
            )
        reader.document.spend(len(above[child]))
        for pointer in above[child]:
            ways = widths[pointer] * open_ways[child]
            if ways > open_ways[pointer]:
                open_ways[pointer] = ways
                work.append(pointer)


def _below(reader: Reader, shape: Shape) -> tuple[list[Place], list[Place]]:
    if shape.kind == "object":
        return list(shape.children), [shape.members[name] for name in shape.members if name in shape.required]
    if shape.kind == "array":
        items = items_of(reader.document, shape.place)
        below = [*items.first, *([items.rest] if items.rest else [])]
        needed = [*items.first, *([items.rest] if items.rest and items.least > len(items.first) else [])]
        return below, needed
    return [], []


def _ending(nodes: Mapping[str, Node]) -> set[str]:
    """Give the places with a value that ends."""
    ending: set[str] = set()
    waiting: dict[str, list[str]] = {}
    for pointer, node in nodes.items():
        for needed in node.needed:
            for child in needed:
                waiting.setdefault(child, []).append(pointer)
    work = list(nodes)
    while work:
        pointer = work.pop()
        if pointer not in ending and any(ending.issuperset(needed) for needed in nodes[pointer].needed):
            ending.add(pointer)
            work += waiting.get(pointer, [])
    return ending


def _own(node: Node) -> int:
    """Give how many ways may be open within a place itself: strings, numbers, optional properties."""
    kinds = Counter(shape.kind for shape in node.shapes)
    scalars = max(kinds["string"], kinds["integer"] + kinds["number"])
    optional = max((len(shape.members) - len(shape.required) for shape in node.shapes), default=0)
    # These part with the first characters of a name.
    return max(1, scalars, optional // _OPTIONAL)


def _width(reader: Reader, node: Node) -> int:
    """Give how many shapes of a place may be open together while something within them is written."""
    structured = [shape for shape in node.shapes if shape.kind in ("object", "array")]
    reader.document.spend(_PAIR * len(structured) ** 2)
    together = (
        sum(confusable(shape, other, reader.shapes) for other in structured if other is not shape)
        for shape in structured
    )
    return 1 + max(together, default=0)
