"""Text and token ids as clients send them: read, counted, and turned into each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from glasnost.errors import ContextLengthExceeded, InvalidRequest

#: What a client gives to be continued or embedded: a text, or the ids of its tokens.
Source = str | tuple[int, ...]

# Characters of a text that is only counted: a vocabulary takes about a second for them.
MAX_TEXT = 1 << 20


class Vocabulary(Protocol):
    """What makes tokens of text and bytes of tokens."""

    @property
    def vocabulary(self) -> int:
        """How many tokens there are."""
        ...

    def tokens(self, text: str, *, add_special: bool, parse_special: bool) -> list[int]:
        """Give the tokens of a text, with those around it that the model wants, and with special ones in it."""
        ...

    def tokenize(self, text: str) -> list[int]:
        """Give the tokens of a prompt."""
        ...

    def written(self, token: int) -> bytes:
        """Give the bytes of a token, special ones too."""
        ...


@dataclass(frozen=True, slots=True)
class Room:
    """Where a prompt must fit: `longest` tokens, of which `spare` remain; a token has at most `longest_piece` bytes."""

    longest: int
    longest_piece: int
    spare: int = 1

    def check(self, tokens: int, param: str, *, about: str = "") -> None:
        """Refuse more tokens than there is room for with ContextLengthExceeded."""
        if tokens + self.spare > self.longest:
            message = f"This model's context holds {self.longest} tokens; `{param}` alone is {about}{tokens}."
            raise ContextLengthExceeded(message, param=param)


def sources(value: Any, name: str, *, vocabulary: int, most: int) -> list[Source]:
    """Read a string, an array of strings, an array of token ids, or an array of those: at most `most` of them."""
    if isinstance(value, str):
        return [value]
    if not isinstance(value, list) or not value:
        raise _invalid(name, "must be a string, an array of strings, or token ids")
    if _whole(value[0]):
        return [token_ids(value, name, vocabulary=vocabulary)]
    if len(value) > most:
        raise _invalid(name, f"can hold at most {most} items; it holds {len(value)}: send them in several requests")
    return [_source(item, f"{name}[{at}]", vocabulary) for at, item in enumerate(value)]


def token_ids(value: Any, name: str, *, vocabulary: int) -> tuple[int, ...]:
    """Read an array of token ids."""
    if not isinstance(value, list) or not all(_whole(token) and 0 <= token < vocabulary for token in value):
        raise _invalid(name, f"must hold whole numbers from 0 to {vocabulary - 1}, the tokens of this model")
    return tuple(value)


def within(source: Source, model: Vocabulary, room: Room, param: str) -> tuple[int, ...]:
    """Give the tokens of a source; ContextLengthExceeded when they do not fit.

    Tokens are only counted where they might fit, for the count is slow for a text of megabytes.
    """
    tokens = source if isinstance(source, tuple) else ()
    if isinstance(source, str):
        least = len(source.encode("utf-8")) // room.longest_piece
        room.check(least, param, about="at least ")
        tokens = tuple(model.tokenize(source))
    if not tokens:
        raise InvalidRequest(f"`{param}` is empty; send at least one token.", param=param)
    room.check(len(tokens), param)
    return tokens


def text_of(tokens: Sequence[int], model: Vocabulary) -> str:
    """Give the text that tokens stand for, special ones as they stand in a prompt."""
    return b"".join(map(model.written, tokens)).decode("utf-8", "replace")


def tokenized(body: Mapping[str, Any], model: Vocabulary) -> dict[str, Any]:
    """Answer `/tokenize`: `content` as `tokens`, with `with_pieces` each as an object of its id and its text.

    `add_special` puts the tokens around it that the model wants there. `parse_special` false takes what looks like
    a special token for text. A piece that is no text of its own is given as its bytes.
    """
    content = body.get("content")
    if not isinstance(content, str) or len(content) > MAX_TEXT:
        raise _invalid("content", f"must be a string of at most {MAX_TEXT} characters")
    tokens = model.tokens(
        content,
        add_special=_boolean(body, "add_special", default=False),
        parse_special=_boolean(body, "parse_special", default=True),
    )
    if not _boolean(body, "with_pieces", default=False):
        return {"tokens": tokens}
    return {"tokens": [{"id": token, "piece": _piece(model.written(token))} for token in tokens]}


def detokenized(body: Mapping[str, Any], model: Vocabulary) -> dict[str, Any]:
    """Answer `/detokenize`: `tokens` as `content`."""
    return {"content": text_of(token_ids(body.get("tokens"), "tokens", vocabulary=model.vocabulary), model)}


def _source(item: Any, param: str, vocabulary: int) -> Source:
    return item if isinstance(item, str) else token_ids(item, param, vocabulary=vocabulary)


def _piece(piece: bytes) -> str | list[int]:
    try:
        return piece.decode("utf-8")
    except UnicodeDecodeError:
        return list(piece)


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _boolean(body: Mapping[str, Any], name: str, *, default: bool) -> bool:
    value = body.get(name)
    if value is not None and not isinstance(value, bool):
        raise _invalid(name, "must be true or false")
    return default if value is None else value


def _invalid(name: str, problem: str) -> InvalidRequest:
    return InvalidRequest(f"`{name}` {problem}.", param=name)
