"""Whether two shapes of a schema can be told apart: by every value of theirs, or from its beginning."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from glasnost.engine.schema.document import Place
from glasnost.engine.schema.shape import Shape, is_of

Shapes = Callable[[Place], Sequence[Shape]]

_LIKE = {"integer": "number"}


def disjoint(one: Shape, two: Shape, shapes: Shapes) -> bool:
    """Say whether no value that the grammar makes of one shape is valid under the other."""
    if "any" in (one.kind, two.kind):
        return False
    if "constants" in (one.kind, two.kind):
        return _fixed(one, two)
    if _LIKE.get(one.kind, one.kind) != _LIKE.get(two.kind, two.kind):
        return True
    if one.kind != "object" or one.others or two.others:
        return False
    if any(_told_apart(one.members[name], two.members[name], shapes) for name in one.required & two.required):
        return True
    # Objects of the grammar have no properties but those that are named.
    return bool(one.required - two.members.keys()) and bool(two.required - one.members.keys())


def confusable(one: Shape, two: Shape, shapes: Shapes) -> bool:
    """Say whether both shapes may still be open while an object or array within them is written.

    Grammars follow all that is open at once; where such shapes are nested, that would double with each level.
    """
    if one.kind != two.kind or one.kind not in ("object", "array"):
        return False
    if one.kind == "array" or one.others or two.others:
        return True
    for (name, member), (other_name, other) in zip(one.members.items(), two.members.items(), strict=False):
        always = name in one.required and other_name in two.required
        if always and (name != other_name or _told_apart(member, other, shapes)):
            return False
        if not (always and _flat(member, shapes) and _flat(other, shapes)):
            break
    return not all(_flat(member, shapes) for member in (*one.children, *two.children))


def _told_apart(one: Place, two: Place, shapes: Shapes) -> bool:
    ones, twos = shapes(one), shapes(two)
    if any(shape.kind != "constants" for shape in (*ones, *twos)):
        return False
    return all(_fixed(left, right) for left in ones for right in twos)


def _fixed(one: Shape, two: Shape) -> bool:
    if one.kind == two.kind:
        return not (one.texts & two.texts)
    fixed, other = (one, two) if one.kind == "constants" else (two, one)
    return not any(is_of(value, other.kind) for value in fixed.values)


def _flat(place: Place, shapes: Shapes) -> bool:
    return all(shape.kind not in ("object", "array", "any") for shape in shapes(place))
