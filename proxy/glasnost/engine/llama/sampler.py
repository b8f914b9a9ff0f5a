"""How the tokens of one sequence are chosen."""

from __future__ import annotations

from typing import Any

import numpy as np

from glasnost.engine.llama.lib import lib
from glasnost.engine.params import Sampling


class Sampler:
    """Chooses the tokens of one sequence and remembers them for the penalties."""

    def __init__(self, context: Any, vocabulary: int, window: int, sampling: Sampling, seed: int) -> None:
        self._context = context
        self._vocabulary = vocabulary
        self._chain = None if sampling.plain_greedy else _chain(vocabulary, window, sampling, seed)

    def sample(self, row: int) -> int:
        """Choose the token behind the one at this place of the last batch."""
        if self._chain is not None:
            return int(lib.llama_sampler_sample(self._chain, self._context, row))
        pointer = lib.llama_get_logits_ith(self._context, row)
        return int(np.ctypeslib.as_array(pointer, (self._vocabulary,)).argmax())

    def close(self) -> None:
        """Free the chain."""
        if self._chain is not None:
            lib.llama_sampler_free(self._chain)
            self._chain = None


def _chain(vocabulary: int, window: int, sampling: Sampling, seed: int) -> Any:
    """Build llama.cpp's own order: bias, penalties, top-k, top-p, min-p, temperature, draw."""
    chain = lib.llama_sampler_chain_init(lib.llama_sampler_chain_default_params())
    stages = []
    if sampling.logit_bias:
        biases = (lib.llama_logit_bias * len(sampling.logit_bias))(
            *(lib.llama_logit_bias(token, bias) for token, bias in sampling.logit_bias)
        )
        stages.append(lib.llama_sampler_init_logit_bias(vocabulary, len(biases), biases))
    if sampling.penalised:
        penalties = (sampling.repeat_penalty, sampling.frequency_penalty, sampling.presence_penalty)
        stages.append(lib.llama_sampler_init_penalties(vocabulary, window, *penalties))
    if sampling.temperature == 0:
        stages.append(lib.llama_sampler_init_greedy())
    else:
        stages += [
            lib.llama_sampler_init_top_k(sampling.top_k),
            lib.llama_sampler_init_top_p(sampling.top_p, 1),
            lib.llama_sampler_init_min_p(sampling.min_p, 1),
            lib.llama_sampler_init_temp(sampling.temperature),
            lib.llama_sampler_init_dist(seed),
        ]
    for stage in stages:
        lib.llama_sampler_chain_add(chain, stage)
    return chain
