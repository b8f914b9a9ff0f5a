"""How the tokens of one sequence are chosen."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from glasnost.engine.llama.candidates import Candidates
from glasnost.engine.llama.constraint import Constraint
from glasnost.engine.llama.lib import lib
from glasnost.engine.llama.model import Model
from glasnost.engine.params import Sampling

Floats = npt.NDArray[np.float32]


class Sampler:
    """Chooses the tokens of one sequence and remembers them for the penalties and the grammar.

    Under a grammar a token is chosen as if there were none and then tried, which costs microseconds; only where it
    does not fit, a choice is made from what does.
    """

    def __init__(self, context: Any, model: Model, candidates: Candidates, sampling: Sampling, seed: int) -> None:
        self._context = context
        self._model = model
        self._candidates = candidates
        self._constraint = None if sampling.grammar is None else Constraint(model, sampling.grammar)
        window = int(lib.llama_n_ctx(context))
        self._chain = None if sampling.plain_greedy else _chain(model.vocabulary, window, sampling, seed)

    def sample(self, row: int) -> int:
        """Choose the token behind the one at this place of the last batch."""
        if self._constraint is not None:
            return self._constrained(self._logits(row), self._constraint)
        if self._chain is not None:
            return int(lib.llama_sampler_sample(self._chain, self._context, row))
        return int(self._logits(row).argmax())

    def close(self) -> None:
        """Free the chain and the grammar."""
        if self._constraint is not None:
            self._constraint.close()
            self._constraint = None
        if self._chain is not None:
            lib.llama_sampler_free(self._chain)
            self._chain = None

    def _logits(self, row: int) -> Floats:
        pointer = lib.llama_get_logits_ith(self._context, row)
        return np.ctypeslib.as_array(pointer, (self._model.vocabulary,))

    def _constrained(self, logits: Floats, constraint: Constraint) -> int:
        token = self._choose(logits)
        if not constraint.take(token):
            token = self._choose_fitting(logits, constraint)
        if self._chain is not None:
            lib.llama_sampler_accept(self._chain, token)
        return token

    def _choose_fitting(self, logits: Floats, constraint: Constraint) -> int:
        candidates = self._candidates
        constraint.mask(candidates.fill(logits))
        fitting = candidates.logits.copy()
        while fitting.max() > -np.inf:
            token = self._choose(fitting)
            if constraint.take(token):
                return token
            fitting[token] = -np.inf
        # No token of this vocabulary can go on.
        return self._model.end

    def _choose(self, logits: Floats) -> int:
        if self._chain is None:
            return int(logits.argmax())
        lib.llama_sampler_apply(self._chain, self._candidates.fill(logits))
        return self._candidates.selected


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
