"""How to sample, read out of a request and checked: whatever a client sends, llama.cpp only sees sane numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from glasnost.engine.grammar import Grammar
from glasnost.errors import InvalidRequest

MAX_STOPS = 16
MAX_STOP_LENGTH = 256
MAX_TOP_LOGPROBS = 20
MAX_BIASED_TOKENS = 1024

# Fields that change what an answer is; to ignore them would be to answer another question.
_UNSUPPORTED = ("functions", "function_call", "audio", "prediction", "web_search_options")


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the next token is chosen, and when to stop; the defaults are llama.cpp's, made for models of this size.

    `temperature` 0 takes the likeliest token. `seed` None draws one. `max_tokens` None goes on to the end of the
    context. `top_logprobs` None gives no log probabilities, 0 those of the chosen tokens only. With `grammar` only
    tokens that keep to it are chosen.
    """

    temperature: float = 0.8
    top_k: int = 40
    top_p: float = 0.95
    min_p: float = 0.05
    seed: int | None = None
    frequency_penalty: float = 0.0
    presence_penalty: float = 0.0
    repeat_penalty: float = 1.0
    logit_bias: tuple[tuple[int, float], ...] = ()
    stop: tuple[str, ...] = ()
    max_tokens: int | None = None
    top_logprobs: int | None = None
    grammar: Grammar | None = None

    @property
    def plain_greedy(self) -> bool:
        """True when the likeliest token of the model's own logits is taken."""
        return self.temperature == 0 and not self.logit_bias and not self.penalised

    @property
    def penalised(self) -> bool:
        """True when tokens that were generated before are worth less."""
        return self.frequency_penalty != 0 or self.presence_penalty != 0 or self.repeat_penalty != 1


def parse_sampling(body: Mapping[str, Any], vocabulary: int) -> Sampling:
    """Read the sampling fields of a request for a model of `vocabulary` tokens; InvalidRequest names a wrong one."""
    _refuse_unsupported(body)
    default = Sampling()
    return Sampling(
        temperature=_number(body, "temperature", default.temperature, 0, 2),
        top_k=_whole(body, "top_k", default.top_k, 0, 1_000_000),
        top_p=_number(body, "top_p", default.top_p, 0, 1),
        min_p=_number(body, "min_p", default.min_p, 0, 1),
        seed=_optional_whole(body, "seed", -(2**63), 2**63 - 1),
        frequency_penalty=_number(body, "frequency_penalty", default.frequency_penalty, -2, 2),
        presence_penalty=_number(body, "presence_penalty", default.presence_penalty, -2, 2),
        repeat_penalty=_number(body, "repeat_penalty", default.repeat_penalty, 0.1, 2),
        logit_bias=_logit_bias(body.get("logit_bias"), vocabulary),
        stop=_stop(body.get("stop")),
        max_tokens=_max_tokens(body),
        top_logprobs=_top_logprobs(body),
    )


def parse_signals(body: Mapping[str, Any]) -> bool:
    """Read whether the signals of the opening are asked for."""
    value = body.get("signals")
    if value is not None and not isinstance(value, bool):
        raise _invalid("signals", "must be true or false")
    return bool(value)


def _refuse_unsupported(body: Mapping[str, Any]) -> None:
    for name in _UNSUPPORTED:
        if body.get(name):
            raise _invalid(name, "is not supported by this engine", code="unsupported_parameter")


def _invalid(name: str, problem: str, code: str | None = None) -> InvalidRequest:
    return InvalidRequest(f"`{name}` {problem}.", param=name, code=code)


def _number(body: Mapping[str, Any], name: str, default: float, least: float, most: float) -> float:
    value = body.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise _invalid(name, f"must be a number from {least} to {most}")
    return float(value)


def _whole(body: Mapping[str, Any], name: str, default: int, least: int, most: int) -> int:
    value = _optional_whole(body, name, least, most)
    return default if value is None else value


def _optional_whole(body: Mapping[str, Any], name: str, least: int, most: int) -> int | None:
    value = body.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise _invalid(name, f"must be a whole number from {least} to {most}")
    return value


def _max_tokens(body: Mapping[str, Any]) -> int | None:
    newer = _optional_whole(body, "max_completion_tokens", 1, 2**31 - 1)
    older = _optional_whole(body, "max_tokens", 1, 2**31 - 1)
    return older if newer is None else newer


def _top_logprobs(body: Mapping[str, Any]) -> int | None:
    wanted = body.get("logprobs")
    if wanted is not None and not isinstance(wanted, bool):
        raise _invalid("logprobs", "must be true or false")
    number = _optional_whole(body, "top_logprobs", 0, MAX_TOP_LOGPROBS)
    if number and not wanted:
        raise _invalid("top_logprobs", "needs `logprobs` to be true")
    return (number or 0) if wanted else None


def _stop(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    stops = [value] if isinstance(value, str) else value
    if not isinstance(stops, list) or len(stops) > MAX_STOPS:
        raise _invalid("stop", f"must be a string or an array of at most {MAX_STOPS} strings")
    if not all(isinstance(stop, str) and 0 < len(stop) <= MAX_STOP_LENGTH for stop in stops):
        raise _invalid("stop", f"must hold strings of 1 to {MAX_STOP_LENGTH} characters")
    return tuple(stops)


def _logit_bias(value: Any, vocabulary: int) -> tuple[tuple[int, float], ...]:
    if value is None:
        return ()
    if not isinstance(value, dict) or len(value) > MAX_BIASED_TOKENS:
        raise _invalid("logit_bias", f"must be an object of at most {MAX_BIASED_TOKENS} token ids")
    return tuple(sorted(_bias(token, bias, vocabulary) for token, bias in value.items()))


def _bias(token: str, bias: Any, vocabulary: int) -> tuple[int, float]:
    # Eleven digits are more than any vocabulary has, and int() of a million digits takes seconds.
    if not (token.isascii() and token.isdigit() and len(token) < 11 and int(token) < vocabulary):
        raise _invalid("logit_bias", f"must name token ids from 0 to {vocabulary - 1}")
    if isinstance(bias, bool) or not isinstance(bias, int | float) or not math.fabs(bias) <= 100:
        raise _invalid("logit_bias", "must hold numbers from -100 to 100")
    return int(token), float(bias)
