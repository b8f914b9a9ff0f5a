"""Embeddings of text: what a client asks for, how the work is cut, and the shape of the answer."""

from __future__ import annotations

import math
import struct
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

from glasnost.engine.step import Span
from glasnost.engine.tokens import Source, sources
from glasnost.errors import InvalidRequest

Pooling = Literal["mean", "cls", "last"]

#: Both as documented for the OpenAI API.
MAX_INPUTS = 2048
MAX_TOKENS = 300_000


@dataclass(frozen=True, slots=True)
class EmbeddingRequest:
    """Inputs to embed. `pooling` None is the model's own, `dimensions` None all of them."""

    model: str
    inputs: tuple[Source, ...]
    pooling: Pooling | None
    normalize: bool
    dimensions: int | None
    base64: bool

    @classmethod
    def parse(cls, body: Mapping[str, Any], *, vocabulary: int, width: int) -> EmbeddingRequest:
        """Check a request to a model of `vocabulary` tokens and `width` dimensions; InvalidRequest names the field."""
        model = body.get("model")
        if not isinstance(model, str) or not model:
            raise _invalid("model", "must be a non-empty string")
        return cls(
            model=model,
            inputs=tuple(sources(body.get("input"), "input", vocabulary=vocabulary, most=MAX_INPUTS)),
            pooling=cast("Pooling | None", _one_of(body, "pooling", get_args(Pooling))),
            normalize=_normalize(body.get("normalize")),
            dimensions=_dimensions(body.get("dimensions"), width),
            base64=_one_of(body, "encoding_format", ("float", "base64")) == "base64",
        )


def check_total(inputs: Iterable[Sequence[int]]) -> int:
    """Count the tokens of all inputs; more than one request may hold are an InvalidRequest."""
    total = sum(map(len, inputs))
    if total > MAX_TOKENS:
        raise _invalid("input", f"holds {total} tokens; one request can hold {MAX_TOKENS}: send them in several")
    return total


@dataclass(frozen=True, slots=True)
class Job:
    """Spans to compute in one batch, and for each the place of its input among the inputs."""

    spans: tuple[Span, ...]
    inputs: tuple[int, ...]


def jobs(inputs: Sequence[Sequence[int]], *, tokens: int, slots: int) -> list[list[Job]]:
    """Cut inputs into jobs of at most `tokens` tokens and `slots` inputs, in the order of their places.

    Short inputs share a job. One that is longer than a job makes several: jobs that must follow each other, since
    the later ones read what the earlier ones left in the context, are in one list.
    """
    found: list[list[Job]] = []
    shared: list[int] = []
    for place, given in enumerate(inputs):
        if len(given) > tokens:
            found.append(_cut(given, place, tokens))
            continue
        if len(shared) == slots or sum(len(inputs[other]) for other in shared) + len(given) > tokens:
            found.append([_packed(inputs, shared)])
            shared = []
        shared.append(place)
    return [*found, [_packed(inputs, shared)]] if shared else found


def _cut(given: Sequence[int], place: int, tokens: int) -> list[Job]:
    starts = range(0, len(given), tokens)
    return [Job((Span(0, at, list(given[at : at + tokens]), sampled=True),), (place,)) for at in starts]


def _packed(inputs: Sequence[Sequence[int]], places: Sequence[int]) -> Job:
    spans = (Span(slot, 0, list(inputs[place]), sampled=True) for slot, place in enumerate(places))
    return Job(tuple(spans), tuple(places))


def embedding_list(request: EmbeddingRequest, vectors: Iterable[Sequence[float]], tokens: int) -> dict[str, Any]:
    """Give the response body."""
    data = [
        {"object": "embedding", "index": index, "embedding": _embedding(request, vector)}
        for index, vector in enumerate(vectors)
    ]
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return {"object": "list", "data": data, "model": request.model, "usage": usage}


def _embedding(request: EmbeddingRequest, vector: Sequence[float]) -> list[float] | str:
    values = list(vector[: request.dimensions])
    if request.normalize:
        length = math.hypot(*values) or 1.0
        values = [value / length for value in values]
    return b64encode(struct.pack(f"<{len(values)}f", *values)).decode() if request.base64 else values


def _dimensions(value: Any, width: int) -> int | None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= width):
        raise _invalid("dimensions", f"must be a whole number from 1 to {width}, the width of this model")
    return value


def _normalize(value: Any) -> bool:
    if value is not None and not isinstance(value, bool):
        raise _invalid("normalize", "must be true or false")
    return value is not False


def _one_of(body: Mapping[str, Any], name: str, known: tuple[str, ...]) -> str | None:
    value = body.get(name)
    if value is not None and value not in known:
        raise _invalid(name, f"must be one of {', '.join(known)}")
    return value


def _invalid(name: str, problem: str) -> InvalidRequest:
    return InvalidRequest(f"`{name}` {problem}.", param=name)
