"""A linear head: from the vector that one model gives a question with its answer, to the probabilities of labels.

A head belongs to the file it was trained on. The same text has other vectors in another model, or in another
quantisation of the same, so a head names the SHA-256 of its GGUF and is refused beside any other. Its file is JSON with
base64 of little-endian float32; the sizes of a row of vectors and of the weights are checked against each other.
"""

from __future__ import annotations

import math
import struct
from base64 import b64decode
from binascii import Error as NoBase64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import mul
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from glasnost.audit.pair import Lengths, answer_of, question_of
from glasnost.errors import ModelFileError
from glasnost.policy.label import CENSORING, Label

SCHEMA = "glasnost/head/v1"

_Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
_Number = Annotated[float, Field(allow_inf_nan=False)]
_Labels = Annotated[list[Annotated[Label, Field(strict=False)]], Field(min_length=2)]


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class _Model(_Value):
    name: str
    sha256: _Sha256


class _Pair(_Value):
    question: Annotated[float, Field(gt=0)]
    head: Annotated[float, Field(gt=0)]
    tail: Annotated[float, Field(ge=0)]


class _Stack(_Value):
    """How the head's log odds and those of the verdict before become one."""

    bias: _Number
    verdict: _Number
    head: _Number


class _File(_Value):
    schema_: Literal["glasnost/head/v1"] = Field(alias="schema")
    model: _Model
    pooling: Literal["mean", "last"]
    text: str
    pair: _Pair
    labels: _Labels
    bias: list[_Number]
    weights: str
    stack: _Stack
    packs: Annotated[list[str], Field(min_length=1)]
    data: str
    licence: str

    @model_validator(mode="after")
    def _sizes(self) -> Self:
        if Label.COMPLETE not in self.labels or not CENSORING & set(self.labels):
            raise ValueError("labels must hold complete and a label of censorship")
        if len(self.bias) != len(self.labels):
            raise ValueError("bias must have a number for each label")
        for part in ("{question}", "{answer}"):
            if self.text.count(part) != 1:
                raise ValueError(f"text must hold {part} once")
        return self


@dataclass(frozen=True, slots=True)
class Reading:
    """What a head makes of a vector: the log odds of censorship, and the likeliest label of that kind."""

    log_odds: float
    label: Label


@dataclass(frozen=True, slots=True)
class Head:
    """A head as it is used; `text` is what the model reads, with a place for the question and one for the answer.

    `packs` are those whose topics it was trained on; of others it knows nothing.
    """

    model: str
    sha256: str
    pooling: str
    text: str
    lengths: Lengths
    labels: tuple[Label, ...]
    bias: tuple[float, ...]
    weights: tuple[tuple[float, ...], ...]
    stack: tuple[float, float, float]
    packs: tuple[str, ...]

    @property
    def width(self) -> int:
        """The length of a vector."""
        return len(self.weights[0])

    def knows(self, topics: Iterable[str]) -> bool:
        """Say whether one of the topics is of a pack that the head was trained on."""
        return any(topic.partition(".")[0] in self.packs for topic in topics)

    def pair(self, question: str, answer: str) -> str:
        """Give the text whose vector is asked for."""
        before, _, rest = self.text.partition("{question}")
        between, _, after = rest.partition("{answer}")
        return before + question_of(question, self.lengths) + between + answer_of(answer, self.lengths) + after

    def read(self, vector: Sequence[float]) -> Reading:
        """Read a vector of `width` numbers, of length one."""
        scores = {
            label: bias + sum(map(mul, row, vector))
            for label, bias, row in zip(self.labels, self.bias, self.weights, strict=True)
        }
        kinds = [label for label in self.labels if label in CENSORING]
        rest = [label for label in self.labels if label not in CENSORING]
        log_odds = _log_sum(scores[label] for label in kinds) - _log_sum(scores[label] for label in rest)
        return Reading(log_odds, max(kinds, key=scores.__getitem__))

    def chance(self, before: float, log_odds: float) -> float:
        """Give the probability of censorship from the one `before` and what the head reads."""
        bias, verdict, head = self.stack
        return round(_sigmoid(bias + verdict * _logit(before) + head * log_odds), 4)


def parse_head(text: str, source: str) -> Head:
    """Read a head's file; raises ModelFileError for one that is not sound."""
    try:
        file = _File.model_validate_json(text)
        numbers = _floats(file.weights)
    except (ValidationError, ValueError) as error:
        first = error.errors(include_url=False, include_input=False)[0] if isinstance(error, ValidationError) else None
        why = f"{'.'.join(map(str, first['loc']))}: {first['msg']}" if first else str(error)
        raise ModelFileError(f"{source} is no head of a semantic tier: {why}") from None
    width, rest = divmod(len(numbers), len(file.labels))
    if rest or not width:
        raise ModelFileError(f"{source} is no head of a semantic tier: its weights do not make a row for each label")
    return Head(
        file.model.name,
        file.model.sha256,
        file.pooling,
        file.text,
        Lengths(file.pair.question, file.pair.head, file.pair.tail),
        tuple(file.labels),
        tuple(file.bias),
        tuple(numbers[at : at + width] for at in range(0, len(numbers), width)),
        (file.stack.bias, file.stack.verdict, file.stack.head),
        tuple(file.packs),
    )


def _floats(text: str) -> tuple[float, ...]:
    try:
        data = b64decode(text, validate=True)
        numbers = struct.unpack(f"<{len(data) // 4}f", data)
    except (NoBase64, struct.error):
        raise ValueError("weights: not base64 of float32") from None
    if not all(map(math.isfinite, numbers)):
        raise ValueError("weights: not all of them are numbers")
    return numbers


def _log_sum(scores: Iterable[float]) -> float:
    values = list(scores)
    most = max(values)
    return most + math.log(sum(math.exp(value - most) for value in values))


def _logit(chance: float) -> float:
    bounded = min(max(chance, 0.001), 0.999)
    return math.log(bounded / (1 - bounded))


def _sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-value)) if value > -700 else 0.0
