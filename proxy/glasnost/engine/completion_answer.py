"""Completions of bare text in the shapes of the OpenAI API: whole, or chunk after chunk."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Sequence
from typing import Any

from glasnost.engine.answer import Tally, signals_field
from glasnost.engine.events import End, Event, Failure, Progress, Signals, TokenLogprob
from glasnost.wire.answer import Chunk, Completion
from glasnost.wire.chunk import Frame

# What log probabilities are called in this shape, with a value for each token.
_LISTS = ("tokens", "token_logprobs", "top_logprobs", "text_offset")


class WholeText:
    """Gathers the events of a request into one completion; `openings` is what each choice's text begins with."""

    def __init__(self, frame: Frame, tally: Tally, openings: Sequence[str]) -> None:
        self._frame = frame
        self._tally = tally
        self._texts = [[opening] for opening in openings]
        self._logprobs = [Logprobs(len(opening)) for opening in openings]
        self._places: list[list[dict[str, Any]]] = [[] for _ in openings]
        self._signals: dict[int, Signals] = {}
        self._reasons = [""] * len(openings)

    def add(self, events: Iterable[Event]) -> None:
        """Take the next events; a Failure is raised."""
        for event in events:
            if isinstance(event, Failure):
                raise event.error
            if isinstance(event, End):
                self._reasons[event.choice] = event.finish_reason
                self._tally.add(event)
                continue
            if isinstance(event, Signals):
                self._signals[event.choice] = event
                continue
            self._texts[event.choice].append(event.text)
            if event.logprob is not None:
                self._places[event.choice].append(self._logprobs[event.choice].place(event.logprob))

    def completion(self) -> Completion:
        """Give the response body."""
        return {
            **_envelope(self._frame, list(map(self._choice, range(len(self._texts))))),
            "usage": self._tally.usage(),
        }

    def _choice(self, index: int) -> dict[str, Any]:
        choice = _choice(index, "".join(self._texts[index]), _joined(self._places[index]), self._reasons[index])
        return choice | signals_field(self._signals.get(index))


class TextChunks:
    """Turns the events of a request into the chunks of its stream."""

    def __init__(self, frame: Frame, tally: Tally, openings: Sequence[str], *, include_usage: bool) -> None:
        self._frame = frame
        self._tally = tally
        self._openings = openings
        self._logprobs = [Logprobs(len(opening)) for opening in openings]
        self._include_usage = include_usage

    def opening(self) -> list[Chunk]:
        """Give the chunks of the text that was there before."""
        return [self._chunk(_choice(index, text)) for index, text in enumerate(self._openings) if text]

    def add(self, event: Progress) -> list[Chunk]:
        """Give the chunks of the next event."""
        if isinstance(event, End):
            self._tally.add(event)
            return [self._chunk(_choice(event.choice, "", None, event.finish_reason))]
        if isinstance(event, Signals):
            return [self._chunk(_choice(event.choice, "") | signals_field(event))]
        if event.logprob is not None:
            places = [self._logprobs[event.choice].place(event.logprob)]
            return [self._chunk(_choice(event.choice, event.text, _joined(places)))]
        return [self._chunk(_choice(event.choice, event.text))] if event.text else []

    def closing(self) -> list[Chunk]:
        """Give the usage chunk where it was asked for."""
        return [{**_envelope(self._frame, []), "usage": self._tally.usage()}] if self._include_usage else []

    def _chunk(self, choice: dict[str, Any]) -> Chunk:
        chunk = _envelope(self._frame, [choice])
        return {**chunk, "usage": None} if self._include_usage else chunk


class Logprobs:
    """Places the tokens of one choice in its text, which begins at `offset` characters."""

    def __init__(self, offset: int) -> None:
        self._offset = offset
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def place(self, token: TokenLogprob) -> dict[str, Any]:
        """Give the next token's values; the likeliest ones are an object of text and log probability."""
        offset = self._offset
        self._offset += len(self._decoder.decode(token.piece))
        top: dict[str, float] = {}
        for piece, value in (*token.top, (token.piece, token.logprob)):
            top.setdefault(_name(piece), value)
        return dict(zip(_LISTS, (_name(token.piece), token.logprob, top, offset), strict=True))


def _joined(places: list[dict[str, Any]]) -> dict[str, list[Any]] | None:
    return {name: [place[name] for place in places] for name in _LISTS} if places else None


def _name(piece: bytes) -> str:
    """Give a token's text, or its bytes as the API writes those that are none."""
    try:
        return piece.decode("utf-8")
    except UnicodeDecodeError:
        return "bytes:" + "".join(f"\\x{byte:02x}" for byte in piece)


def _choice(
    index: int, text: str, logprobs: dict[str, list[Any]] | None = None, finish_reason: str | None = None
) -> dict[str, Any]:
    return {"index": index, "text": text, "logprobs": logprobs, "finish_reason": finish_reason}


def _envelope(frame: Frame, choices: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": frame.id,
        "object": "text_completion",
        "created": frame.created,
        "model": frame.model,
        "choices": choices,
    }
