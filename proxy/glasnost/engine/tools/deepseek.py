"""Calls as DeepSeek's models write them, with tokens of their own: R1 and V3 with a fenced block, V3.1 without."""

from __future__ import annotations

from glasnost.engine.tools.format import Form, Format

# The bars are full-width, and U+2581 stands where a space would.
_TOKENS = "<\uff5ctool\u2581{}\uff5c>"
_LIST, _LIST_END, _CALL, _CALL_END, _SEPARATOR = (
    _TOKENS.format(name.replace(" ", "\u2581"))
    for name in ("calls begin", "calls end", "call begin", "call end", "sep")
)
_MARKERS = (_LIST, _LIST_END, _CALL, _CALL_END, _SEPARATOR)
_FENCED = f"{_CALL}▸function{_SEPARATOR}⟨name⟩␣```json␣⟨arguments⟩␣```␣{_CALL_END}"
_BARE = f"{_CALL}▸⟨name⟩{_SEPARATOR}␣⟨arguments⟩␣{_CALL_END}"


def _list(name: str, call: str, example: str) -> Format:
    return Format(
        name,
        Form(f"{_LIST}␣{call}", more=f"␣{call}", end=f"␣{_LIST_END}"),
        example=f"{_LIST}{_CALL}{example}{_CALL_END}{_LIST_END}",
        markers=_MARKERS,
    )


DEEPSEEK = _list("deepseek", _FENCED, f"function{_SEPARATOR}⟨name⟩\n```json\n⟨arguments⟩\n```")
DEEPSEEK_BARE = _list("deepseek-bare", _BARE, f"⟨name⟩{_SEPARATOR}⟨arguments⟩")
