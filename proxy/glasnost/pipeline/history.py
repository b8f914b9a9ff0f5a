"""Earlier answers of a conversation that were censored: a model that sees itself decline declines again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from glasnost.audit.audit import audit
from glasnost.audit.verdict import Verdict
from glasnost.config import History
from glasnost.pipeline.rungs.prompts import shipped
from glasnost.policy.policy import Policy
from glasnost.wire.answer import answers_of
from glasnost.wire.conversation import Conversation

Message = Mapping[str, Any]


def cleared(policy: Policy, messages: Sequence[Message], how: History) -> list[Message]:
    """Give the messages as a rung sends them: censored answers of earlier turns kept, marked, or dropped.

    A dropped answer leaves two questions in a row, which become one: many templates take turns strictly. An answer
    that also calls tools is marked even so, since the results that follow belong to its calls.
    """
    if how == "keep":
        return list(messages)
    kept: list[Message] = []
    for index, message in enumerate(messages):
        verdict = _verdict(policy, messages[:index], message) if message.get("role") == "assistant" else None
        if verdict is None or not verdict.censored:
            kept.append(message)
        elif how == "mark" or message.get("tool_calls"):
            kept.append(_marked(message, verdict))
    return _merged(kept) if len(kept) < len(messages) else kept


def _verdict(policy: Policy, before: Sequence[Message], message: Message) -> Verdict | None:
    answers = answers_of({"choices": [{"message": message, "finish_reason": "stop"}]})
    return None if answers[0].empty else audit(policy, Conversation.from_messages(before), answers)


def _marked(message: Message, verdict: Verdict) -> Message:
    note = shipped("mark").replace("{label}", verdict.label.value)
    hidden = ("reasoning_content", "reasoning", "reasoning_details", "thinking", "refusal", "audio")
    return {**{key: value for key, value in message.items() if key not in hidden}, "content": note}


def _merged(messages: Sequence[Message]) -> list[Message]:
    merged: list[Message] = []
    for message in messages:
        if merged and message.get("role") == merged[-1].get("role") == "user":
            merged[-1] = {**message, "content": _joined(merged[-1].get("content"), message.get("content"))}
        else:
            merged.append(message)
    return merged


def _joined(first: Any, second: Any) -> Any:
    if isinstance(first, str) and isinstance(second, str):
        return f"{first}\n\n{second}"
    return [*_parts(first), *_parts(second)]


def _parts(content: Any) -> list[Any]:
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return list(content or ())
