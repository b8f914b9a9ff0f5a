"""The words of the rungs that ship: a text file each beside this one, read when it is first needed."""

from __future__ import annotations

from functools import cache
from importlib import resources


@cache
def shipped(name: str) -> str:
    """Give the text of `<name>.txt`, without the line end that closes the file."""
    file = resources.files("glasnost.pipeline.rungs") / "texts" / f"{name}.txt"
    return file.read_text(encoding="utf-8").removesuffix("\n")
