"""What the engine answers in the shapes of the OpenAI API: a whole completion, or chunk after chunk."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from glasnost.engine.events import Delta, End, Event, Failure, Progress, Signals, TokenLogprob
from glasnost.engine.output import Arguments, OutputFormat, OutputParser, Piece, Text, ToolCall
from glasnost.wire.answer import Chunk, Completion
from glasnost.wire.chunk import Frame


class Tally:
    """Counts what a request used, as its choices end; each of its prompts has the same number of them."""

    def __init__(self, prompt_tokens: int, choices: int, *, prompts: int = 1) -> None:
        self._prompt_tokens = prompt_tokens
        self._ends: dict[int, End] = {}
        self._choices = choices
        self._each = choices // prompts

    @property
    def complete(self) -> bool:
        """True when every choice ended."""
        return len(self._ends) == self._choices

    def add(self, end: End) -> None:
        """Note the end of a choice."""
        self._ends[end.choice] = end

    def usage(self) -> dict[str, Any]:
        """Give the `usage` object; a prompt counts once, and as cached as it was for its first choice."""
        completion = sum(end.tokens for end in self._ends.values())
        cached = sum(end.reused for choice, end in self._ends.items() if choice % self._each == 0)
        return {
            "prompt_tokens": self._prompt_tokens,
            "completion_tokens": completion,
            "total_tokens": self._prompt_tokens + completion,
            "prompt_tokens_details": {"cached_tokens": cached},
        }


class Whole:
    """Gathers the events of a request into one completion."""

    def __init__(self, frame: Frame, tally: Tally, output: OutputFormat, *, choices: int) -> None:
        self._frame = frame
        self._tally = tally
        self._parsers = [OutputParser(output, f"{frame.id}/{index}") for index in range(choices)]
        self._fields: list[dict[str, list[str]]] = [{} for _ in range(choices)]
        self._calls: list[list[tuple[ToolCall, list[str]]]] = [[] for _ in range(choices)]
        self._logprobs: list[list[TokenLogprob]] = [[] for _ in range(choices)]
        self._signals: dict[int, Signals] = {}
        self._reasons = [""] * choices

    def add(self, events: Iterable[Event]) -> None:
        """Take the next events; a Failure is raised."""
        for event in events:
            if isinstance(event, Failure):
                raise event.error
            parser = self._parsers[event.choice]
            if isinstance(event, End):
                self._gather(event.choice, parser.finish())
                self._reasons[event.choice] = _finish_reason(event, parser)
                self._tally.add(event)
            elif isinstance(event, Signals):
                self._signals[event.choice] = event
            else:
                self._gather(event.choice, parser.feed(event.text))
                if event.logprob is not None:
                    self._logprobs[event.choice].append(event.logprob)

    def completion(self) -> Completion:
        """Give the response body."""
        return {
            "id": self._frame.id,
            "object": "chat.completion",
            "created": self._frame.created,
            "model": self._frame.model,
            "choices": [self._choice(index) for index in range(len(self._reasons))],
            "usage": self._tally.usage(),
        }

    def _gather(self, choice: int, pieces: Iterable[Piece]) -> None:
        for piece in pieces:
            match piece:
                case Text(field, text):
                    self._fields[choice].setdefault(field, []).append(text)
                case ToolCall():
                    self._calls[choice].append((piece, []))
                case Arguments(index, text):
                    self._calls[choice][index][1].append(text)

    def _choice(self, index: int) -> dict[str, Any]:
        texts = {field: "".join(parts) for field, parts in self._fields[index].items()}
        message: dict[str, Any] = {"role": "assistant", "content": "", "refusal": None, **texts}
        if self._calls[index]:
            calls = [_call(call, "".join(arguments)) for call, arguments in self._calls[index]]
            message |= {"content": message["content"] or None, "tool_calls": calls}
        return {
            "index": index,
            "message": message,
            "logprobs": logprobs_object(self._logprobs[index]),
            "finish_reason": self._reasons[index],
            **signals_field(self._signals.get(index)),
        }


class Chunks:
    """Turns the events of a request into the chunks of its stream."""

    def __init__(self, frame: Frame, tally: Tally, output: OutputFormat, *, choices: int, include_usage: bool) -> None:
        self._frame = frame
        self._tally = tally
        self._parsers = [OutputParser(output, f"{frame.id}/{index}") for index in range(choices)]
        self._include_usage = include_usage

    def opening(self) -> list[Chunk]:
        """Give the chunk of each choice that names the role."""
        delta = {"role": "assistant", "content": ""}
        return [self._chunk(index, delta) for index in range(len(self._parsers))]

    def add(self, event: Progress) -> list[Chunk]:
        """Give the chunks of the next event."""
        parser = self._parsers[event.choice]
        if isinstance(event, Delta):
            return self._deltas(event.choice, parser.feed(event.text), event.logprob)
        if isinstance(event, Signals):
            chunk = self._chunk(event.choice, {})
            chunk["choices"][0] |= signals_field(event)
            return [chunk]
        self._tally.add(event)
        rest = self._deltas(event.choice, parser.finish(), None)
        return [*rest, self._chunk(event.choice, {}, finish_reason=_finish_reason(event, parser))]

    def closing(self) -> list[Chunk]:
        """Give the usage chunk where it was asked for."""
        return [self._frame.usage(self._tally.usage())] if self._include_usage else []

    def _deltas(self, choice: int, pieces: list[Piece], logprob: TokenLogprob | None) -> list[Chunk]:
        deltas = [_delta(piece) for piece in pieces]
        if logprob is None:
            return [self._chunk(choice, delta) for delta in deltas]
        first, *more = deltas or [{"content": ""}]
        chunks = [self._chunk(choice, first, logprobs=logprobs_object([logprob]))]
        return chunks + [self._chunk(choice, delta) for delta in more]

    def _chunk(self, choice: int, delta: dict[str, Any], **rest: Any) -> Chunk:
        chunk = self._frame.chunk(delta, index=choice, **rest)
        if self._include_usage:
            chunk["usage"] = None
        return chunk


def _finish_reason(end: End, parser: OutputParser) -> str:
    # A call that was cut off is no call to answer.
    return "tool_calls" if parser.called and end.finish_reason == "stop" else end.finish_reason


def _delta(piece: Piece) -> dict[str, Any]:
    match piece:
        case Text(field, text):
            return {field: text}
        case ToolCall(index):
            return {"tool_calls": [{"index": index, **_call(piece, "")}]}
        case Arguments(index, text):
            return {"tool_calls": [{"index": index, "function": {"arguments": text}}]}


def _call(call: ToolCall, arguments: str) -> dict[str, Any]:
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": arguments}}


def signals_field(signals: Signals | None) -> dict[str, Any]:
    """Give the `signals` of a choice, nothing where they were not asked for."""
    if signals is None:
        return {}
    return {
        "signals": {
            "refusal_mass": signals.refusal_mass,
            "refusal_by_token": list(signals.refusal_by_token),
            "opening_entropy": signals.entropy,
            "opening_tokens": signals.tokens,
            "empty_thinking": signals.empty_thinking,
        }
    }


def logprobs_object(tokens: list[TokenLogprob]) -> dict[str, Any] | None:
    """Give the `logprobs` of a choice, None when there are none."""
    if not tokens:
        return None
    content = [
        {**_token(token.piece, token.logprob), "top_logprobs": [_token(piece, value) for piece, value in token.top]}
        for token in tokens
    ]
    return {"content": content, "refusal": None}


def _token(piece: bytes, logprob: float) -> dict[str, Any]:
    return {"token": piece.decode("utf-8", "replace"), "logprob": logprob, "bytes": list(piece)}
