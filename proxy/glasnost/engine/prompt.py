"""From a chat request to the tokens that the model continues."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from glasnost.engine.reasoning import OPEN
from glasnost.engine.template import ChatTemplate
from glasnost.errors import ContextLengthExceeded, InvalidRequest
from glasnost.wire.chat import ChatRequest
from glasnost.wire.conversation import text_of


class Tokenizer(Protocol):
    """What makes tokens out of text."""

    def tokenize(self, text: str) -> list[int]:
        """Give the tokens of a rendered prompt."""
        ...


@dataclass(frozen=True, slots=True)
class Prompt:
    """Tokens to continue; `thinking` when the continuation starts within `<think>`."""

    tokens: list[int]
    thinking: bool


@dataclass(frozen=True, slots=True)
class Prompter:
    """Makes prompts for one model: `longest` is its context, `longest_piece` the bytes of its longest token."""

    template: ChatTemplate
    tokenizer: Tokenizer
    longest: int
    longest_piece: int

    def prompt(self, request: ChatRequest, tools: Sequence[Mapping[str, Any]] | None = None) -> Prompt:
        """Render and tokenize; a prompt that leaves no room for an answer is ContextLengthExceeded.

        `tools` are what the template tells the model that it may call. An assistant message at the end is the
        beginning of the answer, and is continued.
        """
        messages = [_plain(message, f"messages[{index}]") for index, message in enumerate(request.messages)]
        opening = ""
        if messages[-1]["role"] == "assistant" and not messages[-1].get("tool_calls"):
            opening = messages.pop()["content"]
        text = self.template.render(messages, _extra(request.body.get("chat_template_kwargs")), tools) + opening
        least = len(text.encode("utf-8")) // self.longest_piece
        if least >= self.longest:
            # Tokens are only counted where they might fit: the count is slow for a text of megabytes.
            raise _too_long(f"at least {least}", self.longest)
        tokens = self.tokenizer.tokenize(text)
        if len(tokens) >= self.longest:
            raise _too_long(str(len(tokens)), self.longest)
        if not tokens:
            raise InvalidRequest("The messages make an empty prompt.", param="messages")
        return Prompt(tokens, thinking=text.rstrip().endswith(OPEN))


def _too_long(tokens: str, longest: int) -> ContextLengthExceeded:
    message = f"This model's context holds {longest} tokens; the messages alone are {tokens}."
    return ContextLengthExceeded(message, param="messages")


def _plain(message: Mapping[str, Any], param: str) -> dict[str, Any]:
    """Give the message with its content as one string, and `developer` under the name that templates know."""
    content = message.get("content")
    for part in content if isinstance(content, list) else ():
        if part.get("type") != "text":
            raise InvalidRequest("This model reads text only.", param=f"{param}.content", code="unsupported_content")
    role = "system" if message["role"] == "developer" else message["role"]
    # Some templates know a message of calls only by its missing content.
    text = None if content is None and message.get("tool_calls") else text_of(content)
    return {**message, "role": role, "content": text}


def _extra(value: Any) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise InvalidRequest("`chat_template_kwargs` must be an object.", param="chat_template_kwargs")
    return value
