"""How the tokens of one sequence are chosen under a grammar.

To ask a grammar for a whole vocabulary takes tens of milliseconds, for one token some microseconds. So a token is
chosen as if there were no grammar, and then tried. Only where it does not fit, the likeliest tokens are asked for,
and the whole vocabulary where it must be.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from glasnost.engine.llama.candidates import Candidates
from glasnost.engine.llama.chain import adjusting, chain, drawing
from glasnost.engine.llama.constraint import Constraint
from glasnost.engine.llama.lib import lib
from glasnost.engine.params import Sampling

Floats = npt.NDArray[np.float32]
Ids = npt.NDArray[np.int32]

_BLOCKS = (256, 4096)


class ConstrainedSampler:
    """Chooses the tokens of one sequence, and remembers them for the penalties and the grammar.

    `logits` gives those behind a row of the last batch, `window` is how many tokens the penalties look back.
    """

    def __init__(
        self,
        constraint: Constraint,
        logits: Callable[[int], Floats],
        window: int,
        sampling: Sampling,
        seed: int,
    ) -> None:
        vocabulary = constraint.model.vocabulary
        self._logits = logits
        self._constraint = constraint
        self._candidates = Candidates(vocabulary)
        self._adjust = chain(adjusting(vocabulary, window, sampling))
        self._draw = None if sampling.temperature == 0 else chain(drawing(sampling, seed))
        self._adjusted = bool(sampling.logit_bias) or sampling.penalised
        self._top_k = sampling.top_k
        # What is less likely than the likeliest by more than this is never drawn.
        self._reach = -math.log(sampling.min_p) if sampling.min_p > 0 else math.inf

    def sample(self, row: int) -> int | None:
        """Choose the token behind the one at this place of the last batch; None when none keeps to the grammar."""
        logits = self._logits(row)
        if self._adjusted:
            lib.llama_sampler_apply(self._adjust, self._candidates.fill(logits))
            logits = self._candidates.logits.copy()
        first = self._choose(logits, None)
        token = first if self._constraint.take(first) else self._choose_fitting(logits)
        if self._adjusted and token is not None:
            lib.llama_sampler_accept(self._adjust, token)
        return token

    def close(self) -> None:
        """Free the chains and the grammar."""
        self._constraint.close()
        lib.llama_sampler_free(self._adjust)
        if self._draw is not None:
            lib.llama_sampler_free(self._draw)

    def _choose_fitting(self, logits: Floats) -> int | None:
        for size in (*_BLOCKS, len(logits)):
            ids = _likeliest(logits, size)
            fitting = self._constraint.mask(logits[ids], ids)
            floor = -math.inf if len(ids) == len(logits) else float(logits[ids].min())
            while self._enough(fitting, floor):
                token = self._choose(fitting, ids)
                if self._constraint.take(token):
                    return token
                fitting[ids == token] = -np.inf
        return None

    def _enough(self, fitting: Floats, floor: float) -> bool:
        """Say whether what fits of these tokens holds all that could be drawn; the others are at most `floor`."""
        best = float(fitting.max())
        if best == -math.inf:
            return False
        if floor == -math.inf or self._draw is None or floor < best - self._reach:
            return True
        return 0 < self._top_k <= int((fitting > -np.inf).sum())

    def _choose(self, logits: Floats, ids: Ids | None) -> int:
        if self._draw is None:
            best = int(logits.argmax())
            return best if ids is None else int(ids[best])
        lib.llama_sampler_apply(self._draw, self._candidates.fill(logits, ids))
        return self._candidates.selected


def _likeliest(logits: Floats, number: int) -> Ids:
    if number >= len(logits):
        return np.arange(len(logits), dtype=np.int32)
    return np.argpartition(logits, -number)[-number:].astype(np.int32)
