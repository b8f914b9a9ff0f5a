"""Calls as Hermes and Qwen write them: one JSON object each, within `<tool_call>` tags."""

from __future__ import annotations

from glasnost.engine.tools.format import Form, Format

_REST = '"name"␣:␣"⟨name⟩"{}␣,␣"arguments"␣:␣⟨arguments⟩␣}}'
_CALL = "<tool_call>␣{▸␣" + _REST.format("") + "␣</tool_call>"
# Small models forget the tags, or take a block of code for them; then only the name of a tool makes it a call.
_BARE = "{␣" + _REST.format("▸")
_FENCED = "```json␣" + _BARE + "␣```"

HERMES = Format(
    "hermes",
    Form(_CALL, more="␣" + _CALL),
    example='<tool_call>\n{"name": "⟨name⟩", "arguments": ⟨arguments⟩}\n</tool_call>',
    at_start=(Form(_BARE, more="␣" + _BARE), Form(_FENCED, more="␣" + _FENCED)),
    markers=("<tool_call>", "</tool_call>"),
)
