"""llama.cpp's samplers in its own order: bias, penalties, top-k, top-p, min-p, temperature, draw."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from glasnost.engine.llama.lib import lib
from glasnost.engine.params import Sampling


def chain(stages: Iterable[Any]) -> Any:
    """Put stages into one sampler, which frees them with itself."""
    whole = lib.llama_sampler_chain_init(lib.llama_sampler_chain_default_params())
    for stage in stages:
        lib.llama_sampler_chain_add(whole, stage)
    return whole


def adjusting(vocabulary: int, window: int, sampling: Sampling) -> list[Any]:
    """Give the stages that make tokens more or less likely: bias, and penalties over the last `window` tokens."""
    stages = []
    if sampling.logit_bias:
        biases = (lib.llama_logit_bias * len(sampling.logit_bias))(
            *(lib.llama_logit_bias(token, bias) for token, bias in sampling.logit_bias)
        )
        stages.append(lib.llama_sampler_init_logit_bias(vocabulary, len(biases), biases))
    if sampling.penalised:
        penalties = (sampling.repeat_penalty, sampling.frequency_penalty, sampling.presence_penalty)
        stages.append(lib.llama_sampler_init_penalties(vocabulary, window, *penalties))
    return stages


def drawing(sampling: Sampling, seed: int) -> list[Any]:
    """Give the stages that choose a token."""
    if sampling.temperature == 0:
        return [lib.llama_sampler_init_greedy()]
    return [
        lib.llama_sampler_init_top_k(sampling.top_k),
        lib.llama_sampler_init_top_p(sampling.top_p, 1),
        lib.llama_sampler_init_min_p(sampling.min_p, 1),
        lib.llama_sampler_init_temp(sampling.temperature),
        lib.llama_sampler_init_dist(seed),
    ]
