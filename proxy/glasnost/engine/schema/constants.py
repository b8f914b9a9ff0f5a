"""Fixed values as rules: a tree of what they have in common, so that few ways are open at any character."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

from glasnost.engine.grammar import Rules, literal

_LAST_PLANES = re.compile("[\U00040000-\U0010ffff]")


def constants(rules: Rules, values: Iterable[Any], name: str) -> str:
    """Add the rule of some JSON values, each as its shortest text, and give the rule's name."""
    texts = sorted({text_of(value) for value in values})
    root = rules.name(name)
    # A stack of our own: texts may share more beginnings than Python nests calls.
    work = [(root, texts, 0)]
    while work:
        rule, group, start = work.pop()
        end = _shared(group, start)
        alternatives = []
        for character, members in groupby(group, lambda text: text[end : end + 1]):  # noqa: B023 - used at once
            same = list(members)
            if not character:
                alternatives.append('""')
            elif len(same) == 1:
                alternatives.append(literal(same[0][end:]))
            else:
                child = rules.name(name)
                alternatives.append(child)
                work.append((child, same, end))
        opening = literal(group[0][start:end]) if end > start else ""
        rules.set(rule, f"{opening} ({' | '.join(alternatives)})".strip())
    return root


def text_of(value: Any) -> str:
    """Give a value's shortest JSON that vocabularies can write: some lack the bytes of the last planes of Unicode."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return _LAST_PLANES.sub(lambda found: json.dumps(found[0])[1:-1], text)


def _shared(group: Sequence[str], start: int) -> int:
    """Give where the sorted texts begin to differ."""
    first, last = group[0], group[-1]
    most = min(len(first), len(last))
    return next((at for at in range(start, most) if first[at] != last[at]), most)
