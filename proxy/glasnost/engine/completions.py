"""From a request for completions of bare text to the prompts that the engine continues: no template, no thinking."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from glasnost.engine.params import Sampling, parse_sampling, parse_signals
from glasnost.engine.tokens import Room, Source, Vocabulary, sources, text_of, within
from glasnost.errors import InvalidRequest

#: Completions of one request, those of all its prompts together.
MAX_CHOICES = 128
#: As documented for the OpenAI API.
MAX_TOKENS = 16
MAX_LOGPROBS = 5

# They belong to chats; to ignore them would be to answer another question.
_UNSUPPORTED = ("messages", "tools", "tool_choice", "response_format")


class InfillVocabulary(Vocabulary, Protocol):
    """A vocabulary that may have tokens for text in the middle."""

    def infill(self) -> tuple[int, int, int] | None:
        """Give the tokens before the prefix, the suffix and the middle, None where there are none."""
        ...

    def special(self, name: str) -> str:
        """Give the text of the `bos` or `eos` token."""
        ...


@dataclass(frozen=True, slots=True)
class CompletionJob:
    """What to continue, each prompt `n` times, and how; `echoes` is what each prompt's text begins with."""

    model: str
    prompts: tuple[tuple[int, ...], ...]
    echoes: tuple[str, ...]
    n: int
    sampling: Sampling
    stream: bool
    include_usage: bool
    signals: bool


def prepare(body: Mapping[str, Any], model: InfillVocabulary, room: Room, slots: int) -> CompletionJob:
    """Check a request and tokenize its prompts; an InvalidRequest names what is wrong.

    To count the tokens takes milliseconds and more for a long prompt: call it on a thread.
    """
    _refuse_unsupported(body)
    texts = sources(body.get("prompt"), "prompt", vocabulary=model.vocabulary, most=MAX_CHOICES)
    n = _choices(body, len(texts), slots)
    echo, stream = _boolean(body, "echo"), _boolean(body, "stream")
    sampling = _sampling(body, model.vocabulary)
    if echo and sampling.top_logprobs is not None:
        raise _invalid("logprobs", "cannot be had with `echo`: the prompt's own are not computed; leave one out")
    suffix = _suffix(body)
    return CompletionJob(
        model=_model(body),
        prompts=tuple(_prompt(text, suffix, model, room) for text in texts),
        echoes=tuple(_echo(text, model) if echo else "" for text in texts),
        n=n,
        sampling=sampling,
        stream=stream,
        include_usage=_include_usage(body),
        signals=parse_signals(body),
    )


def _prompt(text: Source, suffix: str, model: InfillVocabulary, room: Room) -> tuple[int, ...]:
    if suffix:
        return _infilled(text, suffix, model, room)
    return within(text, model, room, "prompt")


def _infilled(text: Source, suffix: str, model: InfillVocabulary, room: Room) -> tuple[int, ...]:
    """Give prefix and suffix in the order that the models are trained on: the middle comes last."""
    marks = model.infill()
    if marks is None:
        raise _invalid("suffix", "needs a model with tokens for infilling, which this one has not; leave it out")
    before, after, middle = marks
    least = sum(len(part) for part in (text, suffix) if isinstance(part, str)) // room.longest_piece
    room.check(least, "prompt", about="at least ")
    prefix = text if isinstance(text, tuple) else model.tokens(text, add_special=False, parse_special=False)
    end = model.tokens(suffix, add_special=False, parse_special=False)
    tokens = (*_first(model), before, *prefix, after, *end, middle)
    room.check(len(tokens), "prompt")
    return tokens


def _first(model: InfillVocabulary) -> list[int]:
    """Give the token that the model wants before any text, where it wants one."""
    bos = model.tokens(model.special("bos"), add_special=False, parse_special=True)
    return bos if bos and model.tokens("", add_special=True, parse_special=False)[: len(bos)] == bos else []


def _echo(text: Source, model: Vocabulary) -> str:
    return text if isinstance(text, str) else text_of(text, model)


def _sampling(body: Mapping[str, Any], vocabulary: int) -> Sampling:
    top = body.get("logprobs")
    if top is not None and (isinstance(top, bool) or not isinstance(top, int) or not 0 <= top <= MAX_LOGPROBS):
        raise _invalid("logprobs", f"must be a whole number from 0 to {MAX_LOGPROBS}")
    rest = {name: value for name, value in body.items() if name not in ("logprobs", "top_logprobs")}
    sampling = parse_sampling(rest, vocabulary)
    return replace(sampling, top_logprobs=top, max_tokens=sampling.max_tokens or MAX_TOKENS)


def _choices(body: Mapping[str, Any], prompts: int, slots: int) -> int:
    value = body.get("n")
    n = 1 if value is None else value
    if isinstance(n, bool) or not isinstance(n, int) or not 1 <= n <= slots:
        raise _invalid("n", f"must be a whole number from 1 to {slots}, the slots of this engine")
    if n * prompts > MAX_CHOICES:
        raise _invalid("n", f"times {prompts} prompts is more than the {MAX_CHOICES} completions of one request")
    best_of = body.get("best_of")
    if best_of is not None and best_of != n:
        raise _invalid("best_of", "can only be what `n` is: this engine gives every completion that it makes")
    return n


def _refuse_unsupported(body: Mapping[str, Any]) -> None:
    for name in _UNSUPPORTED:
        if body.get(name):
            problem = f"`{name}` belongs to /v1/chat/completions; leave it out, or ask there."
            raise InvalidRequest(problem, param=name, code="unsupported_parameter")


def _model(body: Mapping[str, Any]) -> str:
    model = body.get("model")
    if not isinstance(model, str) or not model:
        raise _invalid("model", "must be a non-empty string")
    return model


def _suffix(body: Mapping[str, Any]) -> str:
    suffix = body.get("suffix")
    if suffix is not None and not isinstance(suffix, str):
        raise _invalid("suffix", "must be a string")
    return suffix or ""


def _include_usage(body: Mapping[str, Any]) -> bool:
    options = body.get("stream_options")
    if options is not None and not isinstance(options, dict):
        raise _invalid("stream_options", "must be an object")
    return _boolean(options or {}, "include_usage")


def _boolean(body: Mapping[str, Any], name: str) -> bool:
    value = body.get(name)
    if value is not None and not isinstance(value, bool):
        raise _invalid(name, "must be true or false")
    return bool(value)


def _invalid(name: str, problem: str) -> InvalidRequest:
    return InvalidRequest(f"`{name}` {problem}.", param=name)
