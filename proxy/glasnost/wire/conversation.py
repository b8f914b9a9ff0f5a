"""What was said so far, as plain text by turn: the half of an exchange that the topic match reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Turn:
    """One message: who spoke, and its text."""

    role: str
    text: str


@dataclass(frozen=True, slots=True)
class Conversation:
    """All turns in order; `prompt` is the last user turn, `history` every other one."""

    turns: tuple[Turn, ...]

    @classmethod
    def ask(cls, prompt: str) -> Conversation:
        """Make a conversation of a single question."""
        return cls((Turn("user", prompt),))

    @classmethod
    def from_messages(cls, messages: Sequence[Mapping[str, Any]]) -> Conversation:
        """Read the messages of a chat request; parts that hold no text have none here."""
        return cls(tuple(Turn(str(message.get("role", "")), _message_text(message)) for message in messages))

    @property
    def prompt(self) -> str:
        """The text of the last user turn, empty when there is none."""
        index = self._prompt_index
        return self.turns[index].text if index is not None else ""

    @property
    def history(self) -> tuple[Turn, ...]:
        """Every turn but the prompt, in order."""
        index = self._prompt_index
        return tuple(turn for position, turn in enumerate(self.turns) if position != index)

    @property
    def _prompt_index(self) -> int | None:
        users = [index for index, turn in enumerate(self.turns) if turn.role == "user"]
        return users[-1] if users else None


def text_of(content: Any) -> str:
    """Give the text of a `content` field: a string, or a list of parts of which the text ones count."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    parts = [part.get("text") or part.get("refusal") for part in content if isinstance(part, dict)]
    return "\n".join(part for part in parts if isinstance(part, str))


def _message_text(message: Mapping[str, Any]) -> str:
    texts = [text_of(message.get("content"))]
    for call in message.get("tool_calls") or ():
        function = call.get("function") if isinstance(call, dict) else None
        arguments = function.get("arguments") if isinstance(function, dict) else None
        texts.append(arguments if isinstance(arguments, str) else "")
    return "\n".join(text for text in texts if text)
