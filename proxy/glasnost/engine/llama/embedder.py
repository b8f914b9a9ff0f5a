"""A second context of a model that gives the vectors of tokens, and how they become the vector of a text."""

from __future__ import annotations

from collections.abc import Sequence as Ordered
from typing import Any

import numpy as np
import numpy.typing as npt

from glasnost.engine.adapters import Adapters
from glasnost.engine.embeddings import Pooling
from glasnost.engine.llama.adapting import Adapting
from glasnost.engine.llama.batch import Batch
from glasnost.engine.llama.lib import last_words, lib
from glasnost.engine.llama.model import Model
from glasnost.engine.settings import EngineSettings
from glasnost.engine.step import Span
from glasnost.errors import GlasnostError

#: The most tokens of an input that any engine embeds; the context of an engine may be shorter.
LONGEST = 2048
# Inputs of one batch; each needs a sequence of its own.
_SLOTS = 32

Floats = npt.NDArray[np.float32]


class Pool:
    """Gathers the vectors of one text's tokens, in order."""

    def __init__(self, pooling: Pooling) -> None:
        self._pooling = pooling
        self._vector: Any = None
        self._tokens = 0

    def add(self, rows: Floats) -> None:
        """Take the vectors of the next tokens."""
        if self._pooling == "mean":
            total = rows.sum(axis=0, dtype=np.float64)
            self._vector = total if self._vector is None else self._vector + total
            self._tokens += len(rows)
        elif self._pooling == "last":
            self._vector = rows[-1].copy()
        elif self._vector is None:
            self._vector = rows[0].copy()

    def vector(self) -> list[float]:
        """Give the text's vector, as long as the model is wide; it is not normalised."""
        values: list[float] = (self._vector / (self._tokens or 1)).tolist()
        return values


def slots_for(batch: int) -> int:
    """Give the most inputs of a batch of so many tokens; llama.cpp aborts where it has more sequences than tokens."""
    return min(_SLOTS, batch)


class Embedder:
    """A context for embeddings of inputs of up to `longest` tokens, `batch` tokens at a time; for one thread.

    It pools nothing itself, so that one context serves all ways of pooling, and so that a long text can be computed
    piece by piece. It costs the cells of `longest` tokens and the buffers of `batch`; a GlasnostError says so when
    there is no memory for them.
    """

    def __init__(self, model: Model, settings: EngineSettings, *, longest: int, batch: int) -> None:
        self._width = int(lib.llama_model_n_embd_out(model.handle))
        self._context = lib.llama_init_from_model(model.handle, _context_params(settings, longest, batch))
        if not self._context:
            raise GlasnostError(f"There is no memory for embeddings: {last_words()}", code="engine_failed")
        self._adapting = Adapting(self._context, model.loras, model.steering, settings.control_layers)
        self._memory = lib.llama_get_memory(self._context)
        self._batch = Batch(batch, slots_for(batch))

    def compute(self, spans: Ordered[Span], pools: Ordered[Pool], adapters: Adapters, *, fresh: bool) -> None:
        """Compute one batch and put what its spans' tokens are into their pools; `fresh` forgets what was before."""
        self._adapting.use(adapters)
        if fresh:
            lib.llama_memory_clear(self._memory, False)  # noqa: FBT003 - the function takes positions only
        status = lib.llama_decode(self._context, self._batch.fill(spans))
        if status:
            raise GlasnostError(f"The model failed on this input: {last_words()}", code="engine_failed")
        total = sum(len(span.tokens) for span in spans)
        rows = np.ctypeslib.as_array(lib.llama_get_embeddings(self._context), (total, self._width))
        end = 0
        for span, pool in zip(spans, pools, strict=True):
            start, end = end, end + len(span.tokens)
            pool.add(rows[start:end])

    def close(self) -> None:
        """Free the context."""
        lib.llama_free(self._context)


def _context_params(settings: EngineSettings, longest: int, batch: int) -> Any:
    params = lib.llama_context_default_params()
    params.n_ctx = longest
    params.n_batch = params.n_ubatch = params.n_outputs_max = batch
    params.n_seq_max = slots_for(batch)
    params.n_threads = params.n_threads_batch = settings.threads
    params.embeddings = True
    params.pooling_type = lib.LLAMA_POOLING_TYPE_NONE
    params.kv_unified = True
    return params
