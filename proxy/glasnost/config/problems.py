"""What is wrong with a document, by its own paths and lines."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from glasnost import document
from glasnost.errors import Problem


def problems_of(error: ValidationError, parsed: document.Document) -> list[Problem]:
    """Give what is wrong with a document by its own paths and lines, without repeating its values."""
    return [_problem(detail, parsed) for detail in error.errors(include_url=False, include_input=False)]


def _problem(detail: Any, parsed: document.Document) -> Problem:
    path = ""
    for depth, part in enumerate(detail["loc"], start=1):
        if isinstance(part, int):
            path += f"[{part}]"
            continue
        inner = f"{path}.{part}" if path else str(part)
        # pydantic names the chosen member of a union in the location; the document has no such key.
        if inner in parsed.lines or depth == len(detail["loc"]):
            path = inner
    words = {
        "missing": "is required",
        "extra_forbidden": "is not a known setting",
        "model_type": "must be a mapping",
        "union_tag_not_found": f"needs {detail.get('ctx', {}).get('discriminator', 'a kind')}",
    }
    return Problem(path, words.get(detail["type"], detail["msg"].removeprefix("Value error, ")), parsed.line(path))
