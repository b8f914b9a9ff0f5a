"""The arithmetic of memory in words, for messages: what is needed, what is there, what is missing."""

from __future__ import annotations

from collections.abc import Mapping

from glasnost.engine.plan import Plan, Space, missing, total


def arithmetic(plan: Plan) -> str:
    """Write the sum for each place: `weights 491 + KV 96 + compute 9 + process 136 = 732 MiB of RAM`."""
    sums = []
    for place, need in enumerate(plan.needs):
        if need.total:
            base = ("driver" if place else "process", need.base)
            parts = (("weights", need.weights), ("KV", need.kv), ("compute", need.compute), base)
            written = " + ".join(f"{what} {mib(size)}" for what, size in parts)
            sums.append(f"{written} = {mib(need.total)} MiB of {place_name(place)}")
    return ", ".join(sums)


def shortage(wanted: Space, space: Space) -> str:
    """Say what is there of each place that is short, and how much is missing."""
    lacks = ((place, lack) for place, lack in enumerate(missing(wanted, space)) if lack)
    return ", ".join(
        f"{mib(space[place])} MiB of {place_name(place)} are free, {mib(lack)} MiB are missing" for place, lack in lacks
    )


def refusal(plans: Mapping[str, Plan], space: Space) -> str | None:
    """Say why engines cannot live together, sum by sum, and what to change; None when they can."""
    wanted = total(list(plans.values()))
    if not any(missing(wanted, space)):
        return None
    lines = [f"{name}: {arithmetic(each)}" for name, each in plans.items()]
    sums = ", ".join(f"{mib(size)} MiB of {place_name(place)}" for place, size in enumerate(wanted) if size)
    lower = "gpu_layers, ctx or slots" if any(missing(wanted, space)[1:]) else "ctx or slots"
    advice = f"lower {lower}, take a smaller kv_type such as q8_0, or do not pin all of them"
    return "\n    ".join(
        [
            "the engines that are always loaded do not fit together:",
            *lines,
            f"together {sums}; {shortage(wanted, space)}",
            advice,
        ]
    )


def place_name(place: int) -> str:
    """Name a place for people."""
    return f"GPU {place - 1}" if place else "RAM"


def mib(size: int) -> int:
    """Give bytes as whole MiB, rounded up: what is short of a byte is short."""
    return -(-size >> 20)
