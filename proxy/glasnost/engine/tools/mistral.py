"""Calls as Mistral's models write them: a JSON array behind a marker, or name and arguments with a marker each."""

from __future__ import annotations

from glasnost.engine.tools.format import Form, Format

_OBJECT = '{␣"name"␣:␣"⟨name⟩"␣,␣"arguments"␣:␣⟨arguments⟩␣}'
_CALL = "[TOOL_CALLS]▸␣⟨name⟩[ARGS]␣⟨arguments⟩"
_MARKERS = ("[TOOL_CALLS]", "[ARGS]")


MISTRAL_LIST = Format(
    "mistral-list",
    Form("[TOOL_CALLS]▸␣[␣" + _OBJECT, more="␣,␣" + _OBJECT, end="␣]"),
    example='[TOOL_CALLS][{"name": "⟨name⟩", "arguments": ⟨arguments⟩}]',
    markers=_MARKERS,
)
MISTRAL = Format(
    "mistral", Form(_CALL, more="␣" + _CALL), example="[TOOL_CALLS]⟨name⟩[ARGS]⟨arguments⟩", markers=_MARKERS
)
