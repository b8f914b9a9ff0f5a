"""Runs of one to three characters as a sparse vector of unit length, and its product with trained weights.

The only module of the auditor that computes with numpy, which loads at the first answer on a topic. Runs are hashed
into 2 ** 18 buckets; a bucket counts 1 + log(occurrences), weighted by how rare it was among the answers trained on.
"""

from __future__ import annotations

import math
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BITS = 18
_LONGEST = 3
_READ = 20_000  # characters; the rest of a longer text is not read
_SPREAD, _STEP, _MIX = 0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D  # odd, with bits all over


def buckets(text: str) -> tuple[NDArray[np.uint32], NDArray[np.float64]]:
    """Give the buckets that a text falls into, rising, and 1 + log of how often."""
    import numpy as np  # noqa: PLC0415  # 20 MB and 100 ms that only an answer on a topic needs

    codes = np.frombuffer(text[:_READ].encode("utf-32-le", "surrogatepass"), np.uint32) * np.uint32(_SPREAD)
    codes ^= codes >> np.uint32(15)
    found = []
    run = codes
    for length in range(1, _LONGEST + 1):
        if length > 1:
            run = run[:-1] * np.uint32(_STEP) + codes[length - 1 :]
        mixed = (run ^ (run >> np.uint32(16))) * np.uint32(_MIX) + np.uint32(length)
        found.append(mixed >> np.uint32(32 - BITS))
    rising = np.sort(np.concatenate(found))
    first = np.ones(rising.size, dtype=bool)
    np.not_equal(rising[1:], rising[:-1], out=first[1:])
    starts = first.nonzero()[0]
    counts = np.full(starts.size, rising.size)
    counts[:-1] = starts[1:]
    counts -= starts
    return rising[starts], 1 + np.log(counts)


def score(text: str) -> float:
    """Give the product of a normalised text's vector with the trained weights; 0 for a text of nothing known."""
    at, values = buckets(text)
    stored = weights()
    # Looked up as they are stored: a table of bytes stays in a core's cache. The scale of the rarities cancels out.
    values = values * stored["rarity"][at]
    length = math.sqrt(float(values @ values))
    return float(values @ stored["grams"][at]) * float(stored["grams_scale"]) / length if length else 0.0


@cache
def weights() -> dict[str, NDArray[Any]]:
    """Load the trained weights that ship with the package; those of runs are bytes, each table with its scale."""
    import numpy as np  # noqa: PLC0415  # see above

    with resources.files("glasnost.audit").joinpath("classifier.npz").open("rb") as file, np.load(file) as stored:
        return dict(stored)
