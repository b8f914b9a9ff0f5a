"""How to speak of tools to a model: what its chat template renders by itself, and what must be told as text.

A template's text does not show it, so the template is tried: it renders a small conversation, and what comes out
tells whether tools, calls and results were written down.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from glasnost.engine.tools import history
from glasnost.engine.tools.format import Format
from glasnost.engine.tools.formats import detect
from glasnost.engine.tools.hermes import HERMES
from glasnost.engine.tools.history import Message, Taking
from glasnost.engine.tools.offer import Offer
from glasnost.errors import GlasnostError
from glasnost.wire.conversation import text_of

_TOOL = {
    "type": "function",
    "function": {
        "name": "probe_name",
        "description": "probe",
        "parameters": {"type": "object", "properties": {"probe_argument": {"type": "string"}}},
    },
}
_CALL = {"id": "probecall", "type": "function", "function": {"name": "probe_name"}}
_ARGUMENTS = {"probe_argument": "probe_value"}
_WRITTEN = re.compile(r'"probe_argument"\s*:\s*"probe_value"')
_USER = {"role": "user", "content": "probe_user"}
_RESULT = {"role": "tool", "tool_call_id": "probecall", "name": "probe_name", "content": "probe_result"}


class Template(Protocol):
    """What renders a conversation."""

    source: str

    def render(
        self,
        messages: Sequence[Message],
        extra: Mapping[str, Any] | None = None,
        tools: Sequence[Mapping[str, Any]] | None = None,
    ) -> str:
        """Give the prompt; a GlasnostError when the template does not take the messages."""
        ...


@dataclass(frozen=True, slots=True)
class Dialect:
    """The format of calls; whether the template tells of tools, how it takes calls (None: not), and system messages."""

    form: Format
    tells: bool
    taking: Taking | None
    system: bool

    def tools(self, offer: Offer | None) -> list[Mapping[str, Any]] | None:
        """Give the tools for the template, None when it is not the one that tells of them."""
        return [tool.body for tool in offer.tools] if offer is not None and self.tells else None

    def messages(self, messages: Sequence[Message], offer: Offer | None) -> list[Message]:
        """Give the messages for the template, with what it does not tell of itself as text."""
        found = history.checked(messages)
        taking = self.taking
        found = history.told(found, self.form) if taking is None else history.native(found, taking)
        return found if offer is None or self.tells else self._telling(found, offer)

    def _telling(self, messages: list[Message], offer: Offer) -> list[Message]:
        role = "system" if self.system else "user"
        text = _description(offer, self.form)
        first = messages[0]
        if first["role"] == role or (role == "system" and first["role"] == "developer"):
            content = "\n\n".join(part for part in (text_of(first.get("content")), text) if part)
            return [{**first, "content": content}, *messages[1:]]
        return [{"role": role, "content": text}, *messages]


def dialect_of(template: Template) -> Dialect:
    """Find out how to speak of tools to the model of this template."""
    form = detect(template.source)
    tells = form is not None and "probe_name" in _tried(template, [_USER], [_TOOL])
    system = "probe_system" in _tried(template, [{"role": "system", "content": "probe_system"}, _USER])
    taking = None if form is None else _taking(template, [_TOOL] if tells else None)
    return Dialect(form or HERMES, tells, taking, system)


def _taking(template: Template, tools: Sequence[Mapping[str, Any]] | None) -> Taking | None:
    short_ids = "TOOL_CALLS" in template.source and "9" in template.source
    for content in (None, ""):
        for objects in (True, False):
            arguments = _ARGUMENTS if objects else json.dumps(_ARGUMENTS)
            call = {**_CALL, "function": {"name": "probe_name", "arguments": arguments}}
            said = {"role": "assistant", "content": content, "tool_calls": [call]}
            text = _tried(template, [_USER, said, _RESULT], tools)
            if _WRITTEN.search(text) and "probe_name" in text and "probe_result" in text and "None" not in text:
                return Taking(objects, content, short_ids)
    return None


def _tried(template: Template, messages: Sequence[Message], tools: Sequence[Mapping[str, Any]] | None = None) -> str:
    try:
        return template.render(messages, None, tools)
    except GlasnostError:
        return ""


def _description(offer: Offer, form: Format) -> str:
    lines = "\n".join(json.dumps(tool.body["function"], ensure_ascii=False) for tool in offer.tools)
    example = form.written("function-name", '{"argument-name": "value"}')
    return (
        "# Tools\n\nYou may call functions. These are their signatures, as JSON:\n"
        f"<tools>\n{lines}\n</tools>\n\n"
        f"To call one, write its name and a JSON object of its arguments in exactly this form:\n{example}\n\n"
        "The results come back to you within <tool_response> tags."
    )
