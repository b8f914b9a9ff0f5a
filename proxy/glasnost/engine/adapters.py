"""Which LoRA adapters a sequence is computed with, read out of a request and checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from glasnost.errors import InvalidRequest

#: Adapters by their place in the engine, each with its scale: ascending, none of scale 0, so that equal sets are equal.
Adapters = tuple[tuple[int, float], ...]

#: More than this is no use, and leads to numbers that are none.
MAX_SCALE = 16.0


def adapter_set(scales: Mapping[int, float]) -> Adapters:
    """Give adapters with these scales the form that is compared."""
    return tuple((index, scale) for index, scale in sorted(scales.items()) if scale)


def parse_adapters(body: Mapping[str, Any], loaded: Sequence[tuple[str, float]]) -> Adapters:
    """Read the field `lora` for an engine that loaded adapters with these names and scales.

    Without the field all are applied as they were loaded; with it those that it lists and no other. A scale that is
    left out is the one that the adapter was loaded with, or 1 where that is 0. An InvalidRequest says what is wrong.
    """
    listed = body.get("lora")
    if listed is None:
        return adapter_set({index: scale for index, (_, scale) in enumerate(loaded)})
    if not isinstance(listed, list):
        raise _invalid('must be a list of objects such as {"id": 0, "scale": 0.5}')
    scales: dict[int, float] = {}
    for item in listed:
        if not isinstance(item, dict) or not item.keys() <= {"id", "scale"}:
            raise _invalid("must hold objects with `id` and `scale`, and nothing else")
        index = _index(item.get("id"), [name for name, _ in loaded])
        if index in scales:
            raise _invalid(f"names the adapter {loaded[index][0]!r} twice; add the scales up")
        scales[index] = _scale(item.get("scale"), loaded[index][1])
    return adapter_set(scales)


def _index(given: Any, names: Sequence[str]) -> int:
    if not names:
        raise _invalid("names an adapter, and this engine has none; leave it out, or start the engine with --lora")
    if isinstance(given, str) and given in names:
        return names.index(given)
    if isinstance(given, int) and not isinstance(given, bool) and 0 <= given < len(names):
        return given
    raise _invalid(f"needs an `id` from 0 to {len(names) - 1}, or a name: {', '.join(names)}")


def _scale(given: Any, loaded: float) -> float:
    if given is None:
        return loaded or 1.0
    if isinstance(given, bool) or not isinstance(given, int | float) or not abs(given) <= MAX_SCALE:
        raise _invalid(f"needs a `scale` that is a number from {-MAX_SCALE:g} to {MAX_SCALE:g}")
    return float(given)


def _invalid(problem: str) -> InvalidRequest:
    return InvalidRequest(f"`lora` {problem}.", param="lora")
