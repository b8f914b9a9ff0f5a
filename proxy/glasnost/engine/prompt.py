"""From a chat request to the tokens that the model continues."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from glasnost.engine.effort import SWITCHES, Wish, parse_wish
from glasnost.engine.reasoning import FAMILIES, NO_THINKING, Thinking, closed_by, opened_by, without_thinking
from glasnost.engine.template import ChatTemplate
from glasnost.errors import ContextLengthExceeded, InvalidRequest
from glasnost.wire.chat import ChatRequest
from glasnost.wire.conversation import text_of

Messages = Sequence[Mapping[str, Any]]

# The names of a message's reasoning, that of most APIs and templates first.
_REASONING = ("reasoning_content", "reasoning", "thinking")


class Tokenizer(Protocol):
    """What makes tokens out of text."""

    def tokenize(self, text: str) -> list[int]:
        """Give the tokens of a rendered prompt."""
        ...


@dataclass(frozen=True, slots=True)
class Prompt:
    """Tokens to continue, and how the continuation may open with thinking."""

    tokens: list[int]
    thinking: Thinking


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
        beginning of the answer: it is continued, behind a closed thinking where the model thinks.
        """
        messages = [_plain(message, f"messages[{index}]") for index, message in enumerate(request.messages)]
        beginning = _beginning(messages)
        wish = parse_wish(request.body, self.template.variables)
        if beginning is None:
            text, thinking = self._open(messages, wish, tools)
        else:
            text, thinking = self._begun(messages, wish, tools, beginning)
        return Prompt(self._tokens(text), thinking)

    def _open(self, messages: Messages, wish: Wish, tools: Sequence[Mapping[str, Any]] | None) -> tuple[str, Thinking]:
        families = self.template.tags or FAMILIES
        text = self.template.render(messages, wish.variables, tools)
        if wish.thinking is False:
            text = without_thinking(text, families, add=self._thinks_unasked)
        wanted = wish.thinking is not False and closed_by(text, families) is None
        return text, Thinking(families, opened_by(text, families), wanted)

    def _begun(
        self, messages: Messages, wish: Wish, tools: Sequence[Mapping[str, Any]] | None, beginning: _Beginning
    ) -> tuple[str, Thinking]:
        off = {name: False for name in SWITCHES if name in self.template.variables}
        text = self.template.render(messages, {**wish.variables, **off}, tools)
        families = self.template.tags or FAMILIES
        text = without_thinking(text, families, beginning.thought, add=self._thinks_unasked)
        return text + beginning.text, replace(NO_THINKING, blank=beginning.blank)

    @property
    def _thinks_unasked(self) -> bool:
        """True when the model thinks, and its template has no switch that tells it not to."""
        return bool(self.template.tags) and self.template.variables.isdisjoint(SWITCHES)

    def _tokens(self, text: str) -> list[int]:
        least = len(text.encode("utf-8")) // self.longest_piece
        if least >= self.longest:
            # Tokens are only counted where they might fit: the count is slow for a text of megabytes.
            raise _too_long(f"at least {least}", self.longest)
        tokens = self.tokenizer.tokenize(text)
        if len(tokens) >= self.longest:
            raise _too_long(str(len(tokens)), self.longest)
        if not tokens:
            raise InvalidRequest("The messages make an empty prompt.", param="messages")
        return tokens


@dataclass(frozen=True, slots=True)
class _Beginning:
    """What an answer begins with: a thought, and a text without the `blank` at its end."""

    thought: str
    text: str
    blank: str


def _beginning(messages: list[dict[str, Any]]) -> _Beginning | None:
    """Take an assistant message from the end of the messages; None where there is none, or nothing in it.

    The blank at the end of its text is left out: a word's token holds the blank before it, so that behind a lone
    blank a model can only continue with what it has rarely seen.
    """
    if messages[-1]["role"] != "assistant" or messages[-1].get("tool_calls"):
        return None
    last = messages.pop()
    if not messages:
        raise InvalidRequest(
            "`messages` must hold what the assistant answers; for text alone ask /v1/completions.", param="messages"
        )
    thought, text = (last.get("reasoning_content") or "").strip(), last["content"]
    if not thought and not text.strip():
        return None
    kept = text.rstrip(" \t")
    return _Beginning(thought, kept, text[len(kept) :])


def _too_long(tokens: str, longest: int) -> ContextLengthExceeded:
    message = f"This model's context holds {longest} tokens; the messages alone are {tokens}."
    return ContextLengthExceeded(message, param="messages")


def _plain(message: Mapping[str, Any], param: str) -> dict[str, Any]:
    """Give the message with its content as one string, and role and reasoning under the names that templates know."""
    content = message.get("content")
    for part in content if isinstance(content, list) else ():
        if part.get("type") != "text":
            raise InvalidRequest("This model reads text only.", param=f"{param}.content", code="unsupported_content")
    role = "system" if message["role"] == "developer" else message["role"]
    # Some templates know a message of calls only by its missing content.
    text = None if content is None and message.get("tool_calls") else text_of(content)
    return {**message, "role": role, "content": text, **_reasoning(message, param)}


def _reasoning(message: Mapping[str, Any], param: str) -> dict[str, str]:
    for name in _REASONING:
        thought = message.get(name)
        if thought is not None and not isinstance(thought, str):
            raise InvalidRequest(f"`{param}.{name}` must be a string.", param=f"{param}.{name}")
        if thought is not None:
            return dict.fromkeys(_REASONING, thought)
    return {}
