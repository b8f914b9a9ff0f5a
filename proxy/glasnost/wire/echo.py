"""Log probabilities repeat an answer token by token; what they say beyond it is text that has to be audited.

Tokens and text need not come in the same chunk. As soon as the two differ, every token counts as text of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Echo:
    """Follows one choice: feed it tokens and text as they come, take what of the tokens is no echo."""

    def __init__(self) -> None:
        self._tokens = ""
        self._text = ""
        self._parted = False

    def feed(self, tokens: str, text: str) -> str:
        """Take the next tokens and text; give the tokens that are known to be no echo."""
        if self._parted:
            return tokens
        self._tokens += tokens
        self._text += text
        pairs = enumerate(zip(self._tokens, self._text, strict=False))
        shorter = min(len(self._tokens), len(self._text))
        same = next((at for at, (token, said) in pairs if token != said), shorter)
        self._tokens, self._text = self._tokens[same:], self._text[same:]
        self._parted = same < shorter
        return self.finish() if self._parted else ""

    def finish(self) -> str:
        """Give the tokens for which no text came."""
        left, self._tokens = self._tokens, ""
        return left


def tokens_of(choice: Mapping[str, Any]) -> str | None:
    """Read the tokens of a choice's log probabilities; None where it has none."""
    logprobs = choice.get("logprobs")
    if not isinstance(logprobs, dict):
        return None
    entries = [entry for name in ("content", "refusal") for entry in logprobs.get(name) or ()]
    tokens = [entry.get("token") for entry in entries if isinstance(entry, dict)]
    bare = logprobs.get("tokens")  # the shape of /v1/completions
    tokens += bare if isinstance(bare, list) else []
    return "".join(token for token in tokens if isinstance(token, str))


def beyond(choice: Mapping[str, Any], text: str) -> str:
    """Give what a whole choice's log probabilities say beyond its text."""
    echo = Echo()
    return echo.feed(tokens_of(choice) or "", text) + echo.finish()
