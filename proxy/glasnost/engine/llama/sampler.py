"""How the tokens of one sequence are chosen."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from glasnost.engine.llama.chain import adjusting, chain, drawing
from glasnost.engine.llama.lib import lib
from glasnost.engine.params import Sampling


class Sampler:
    """Chooses the tokens of one sequence and remembers them for the penalties."""

    def __init__(self, context: Any, vocabulary: int, sampling: Sampling, seed: int) -> None:
        self._context = context
        self._vocabulary = vocabulary
        window = int(lib.llama_n_ctx(context))
        stages = [] if sampling.plain_greedy else adjusting(vocabulary, window, sampling) + drawing(sampling, seed)
        self._chain = chain(stages) if stages else None

    def sample(self, row: int) -> int:
        """Choose the token behind the one at this place of the last batch."""
        if self._chain is not None:
            return int(lib.llama_sampler_sample(self._chain, self._context, row))
        pointer = lib.llama_get_logits_ith(self._context, row)
        logits: npt.NDArray[np.float32] = np.ctypeslib.as_array(pointer, (self._vocabulary,))
        return int(logits.argmax())

    def close(self) -> None:
        """Free the chain."""
        if self._chain is not None:
            lib.llama_sampler_free(self._chain)
            self._chain = None
