"""Calls as Hermes and Qwen write them: one JSON object each, within `<tool_call>` tags."""

from __future__ import annotations

from glasnost.engine.tools.format import Format

_CALL = '<tool_call>␣{▸␣"name"␣:␣"⟨name⟩"␣,␣"arguments"␣:␣⟨arguments⟩␣}␣</tool_call>'

HERMES = Format(
    "hermes",
    first=_CALL,
    more="␣" + _CALL,
    example='<tool_call>\n{"name": "⟨name⟩", "arguments": ⟨arguments⟩}\n</tool_call>',
    markers=("<tool_call>", "</tool_call>"),
)
