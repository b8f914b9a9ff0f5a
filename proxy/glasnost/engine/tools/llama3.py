"""Calls as Llama 3 writes them: the whole answer is one JSON object, perhaps behind `<|python_tag|>`."""

from __future__ import annotations

from glasnost.engine.tools.format import Form, Format

_REST = '"name"␣:␣"⟨name⟩"▸␣,␣"parameters"␣:␣⟨arguments⟩␣}'

LLAMA3 = Format(
    "llama3",
    Form("<|python_tag|>␣{␣" + _REST),
    example='{"name": "⟨name⟩", "parameters": ⟨arguments⟩}',
    # A JSON object may be an answer too: only the name of a tool makes it a call.
    at_start=(Form("{␣" + _REST), Form('{␣"type"␣:␣"function"␣,␣' + _REST)),
    markers=("<|python_tag|>",),
)
