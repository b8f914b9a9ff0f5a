"""What `response_format` asks for: any text, any JSON object, or JSON that a schema accepts."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from glasnost.engine.grammar import Grammar, Rules
from glasnost.engine.reasoning import Tags, Thinking
from glasnost.engine.schema import add_object, add_schema
from glasnost.engine.thought import behind_thought
from glasnost.errors import InvalidRequest

_FIELD = "response_format"
_SCHEMA = f"{_FIELD}.json_schema"
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True)
class ResponseFormat:
    """JSON that the answer must be; without a schema, any object."""

    schema: Mapping[str, Any] | None = None

    def add(self, rules: Rules) -> str:
        """Add the rule of such an answer and give its name; InvalidRequest for a schema that cannot be one."""
        if self.schema is None:
            return add_object(rules)
        return add_schema(rules, self.schema, "answer", param=f"{_SCHEMA}.schema")


def parse_response_format(body: Mapping[str, Any]) -> ResponseFormat | None:
    """Read the field; None when the answer may be any text. InvalidRequest names what is wrong."""
    wanted = body.get(_FIELD)
    if wanted is None:
        return None
    kind = wanted.get("type") if isinstance(wanted, dict) else None
    if kind == "text":
        return None
    if not isinstance(wanted, dict) or kind not in ("json_object", "json_schema"):
        param = f"{_FIELD}.type" if isinstance(wanted, dict) else _FIELD
        raise _wrong(param, "must be an object whose `type` is text, json_object or json_schema")
    messages = body.get("messages") or [{}]
    if messages[-1].get("role") == "assistant":
        raise _wrong(_FIELD, "holds from the first character of an answer; do not end `messages` with its beginning")
    return ResponseFormat() if kind == "json_object" else ResponseFormat(_schema(wanted.get("json_schema")))


def answer_grammar(wanted: ResponseFormat, tags: tuple[Tags, ...]) -> Callable[[Thinking], Grammar]:
    """Give what makes the grammar of an answer, once it is known how the prompt leaves the thinking.

    InvalidRequest for a schema that cannot be one. An answer that thinks in `tags`, or within those of the prompt,
    may do so before.
    """
    rules = Rules()
    rules.name("root")
    answer = wanted.add(rules)

    def finish(thinking: Thinking) -> Grammar:
        rules.set("root", behind_thought(rules, answer, tags if thinking.wanted else (), thinking.inside))
        return Grammar(rules.text())

    return finish


def _schema(wanted: Any) -> Mapping[str, Any]:
    if not isinstance(wanted, dict):
        raise _wrong(_SCHEMA, "must be an object with `name` and `schema`")
    name, strict = wanted.get("name"), wanted.get("strict")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise _wrong(f"{_SCHEMA}.name", "must be 1 to 64 letters, digits, - or _")
    if not isinstance(wanted.get("schema"), dict):
        raise _wrong(f"{_SCHEMA}.schema", "must be a JSON schema, as an object")
    if strict is not None and not isinstance(strict, bool):
        raise _wrong(f"{_SCHEMA}.strict", "must be true or false")
    schema: Mapping[str, Any] = wanted["schema"]
    return schema


def _wrong(param: str, problem: str) -> InvalidRequest:
    return InvalidRequest(f"`{param}` {problem}.", param=param)
