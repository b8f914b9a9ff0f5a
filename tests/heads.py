"""Heads of a semantic tier, made up for tests."""

from __future__ import annotations

import json
from base64 import b64encode
from struct import pack
from typing import Any

SHA256 = "ab" * 32
#: A vector of two numbers: the first speaks for complete, the second for evasion.
WEIGHTS = (4.0, -4.0, -4.0, 4.0)


def head_text(weights: tuple[float, ...] | str = WEIGHTS, **fields: Any) -> str:
    """Give the file of a head for vectors of two numbers."""
    if not isinstance(weights, str):
        weights = b64encode(pack(f"<{len(weights)}f", *weights)).decode()
    return json.dumps(
        {
            "schema": "glasnost/head/v1",
            "model": {"name": "m", "sha256": SHA256},
            "pooling": "mean",
            "text": "Q: {question}\nA: {answer}\nIt",
            "pair": {"question": 10, "head": 20, "tail": 5},
            "labels": ["complete", "evasion"],
            "bias": [0.0, 0.0],
            "weights": weights,
            "stack": {"bias": 0.0, "verdict": 0.5, "head": 1.0},
            "packs": ["prc"],
            "data": "none",
            "licence": "none",
            **fields,
        }
    )
