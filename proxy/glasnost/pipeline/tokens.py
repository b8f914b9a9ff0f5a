"""The tokens of an answer that was stopped before its upstream counted them, estimated from its text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from glasnost.wire.answer import Answer
from glasnost.wire.conversation import Conversation

# Common vocabularies make a token of about four letters of English, and of about one and a half Chinese characters.
_PER_TOKEN = 4.0
_PER_WIDE_TOKEN = 1.5
_WIDE = "\u2e80"


def estimated_usage(conversation: Conversation, answers: Sequence[Answer]) -> dict[str, Any]:
    """Give a usage object with `estimated` in it; it counts what was said and what was asked, not a template."""
    asked = sum(estimate(turn.text) for turn in conversation.turns)
    said = sum(estimate(text) for answer in answers for _, text in answer.texts())
    return {"prompt_tokens": asked, "completion_tokens": said, "total_tokens": asked + said, "estimated": True}


def estimate(text: str) -> int:
    """Give about how many tokens a text has."""
    wide = sum(character >= _WIDE for character in text)
    return round((len(text) - wide) / _PER_TOKEN + wide / _PER_WIDE_TOKEN)
