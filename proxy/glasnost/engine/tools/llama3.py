"""Calls as Llama 3 writes them: the whole answer is one JSON object, perhaps behind `<|python_tag|>`."""

from __future__ import annotations

from glasnost.engine.tools.format import Format

_REST = '"name"␣:␣"⟨name⟩"▸␣,␣"parameters"␣:␣⟨arguments⟩␣}'

LLAMA3 = Format(
    "llama3",
    first="<|python_tag|>␣{␣" + _REST,
    more="",
    example='{"name": "⟨name⟩", "parameters": ⟨arguments⟩}',
    # A JSON object may be an answer too: only the name of a tool makes it a call.
    at_start=("{␣" + _REST, '{␣"type"␣:␣"function"␣,␣' + _REST),
    most=1,
    markers=("<|python_tag|>",),
)
