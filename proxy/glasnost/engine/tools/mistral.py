"""Calls as Mistral's models write them: a JSON array behind a marker, or name and arguments with a marker each."""

from __future__ import annotations

from glasnost.engine.tools.format import Format

_OBJECT = '{␣"name"␣:␣"⟨name⟩"␣,␣"arguments"␣:␣⟨arguments⟩␣}'
_CALL = "[TOOL_CALLS]▸␣⟨name⟩[ARGS]␣⟨arguments⟩"
_MARKERS = ("[TOOL_CALLS]", "[ARGS]")

_LIST = "[TOOL_CALLS]▸␣[␣" + _OBJECT

MISTRAL_LIST = Format(
    "mistral-list",
    first=_LIST,
    more="␣,␣" + _OBJECT,
    example='[TOOL_CALLS][{"name": "⟨name⟩", "arguments": ⟨arguments⟩}]',
    end="␣]",
    markers=_MARKERS,
)
MISTRAL = Format(
    "mistral", first=_CALL, more="␣" + _CALL, example="[TOOL_CALLS]⟨name⟩[ARGS]⟨arguments⟩", markers=_MARKERS
)
