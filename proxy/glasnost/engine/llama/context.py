"""The KV cache and the computation of one model."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence as Ordered
from typing import Any

import numpy as np
import numpy.typing as npt

from glasnost.engine.adapters import Adapters
from glasnost.engine.layout import KV_TYPES
from glasnost.engine.llama.adapting import Adapting
from glasnost.engine.llama.batch import Batch
from glasnost.engine.llama.constrained import ConstrainedSampler
from glasnost.engine.llama.constraint import Constraint
from glasnost.engine.llama.lib import last_words, lib
from glasnost.engine.llama.model import Model, gpu_layers
from glasnost.engine.llama.sampler import Sampler
from glasnost.engine.loading import DoesNotFit
from glasnost.engine.opening import Distribution
from glasnost.engine.params import Sampling
from glasnost.engine.settings import EngineSettings
from glasnost.engine.step import Copy, Operation, Span

Floats = npt.NDArray[np.float32]

_FLASH_ATTENTION = {
    "auto": lib.LLAMA_FLASH_ATTN_TYPE_AUTO,
    "on": lib.LLAMA_FLASH_ATTN_TYPE_ENABLED,
    "off": lib.LLAMA_FLASH_ATTN_TYPE_DISABLED,
}

# On CPUs llama.cpp's flash attention takes another kernel, with other rounding, from 64 rows on (ADR 0007).
_CPU_ROWS = 56
# A CPU computes a long step hardly faster per token than a short one, and the shorter it is the sooner the next request
# gets in; beside streams, a chunk of a prompt must not be felt as a pause.
_CPU_BUDGET = 2 * _CPU_ROWS
_CPU_CHUNK = 64


class Context:
    """A model at work for `settings.slots` sequences that share all cells; for one thread, but for `abort`."""

    def __init__(self, model: Model, settings: EngineSettings) -> None:
        self._model = model
        self._on_cpu = gpu_layers(settings) == 0
        #: The most tokens of a step, and the most prompt tokens of a step in which anyone decodes.
        self.budget = max(settings.slots, min(settings.batch, _CPU_BUDGET)) if self._on_cpu else settings.batch
        self.chunk = _CPU_CHUNK if self._on_cpu else settings.batch
        self._context = lib.llama_init_from_model(model.handle, _context_params(model, settings))
        if not self._context:
            raise DoesNotFit(f"no context of {settings.context} tokens: {last_words()}")
        self._adapting = Adapting(self._context, model.loras, model.steering, settings.control_layers)
        self._memory = lib.llama_get_memory(self._context)
        self._batch = Batch(settings.batch, settings.slots)
        # A flag that llama.cpp reads while it computes: strlen of one byte is 1 when it is set and 0 when not, so
        # no Python runs, and no lock is taken, in the hundreds of calls of a step.
        self._flag = ctypes.create_string_buffer(2)
        self._strlen = lib.ggml_abort_callback(("strlen", ctypes.CDLL(None)))
        lib.llama_set_abort_callback(self._context, self._strlen, ctypes.cast(self._flag, ctypes.c_void_p))

    @property
    def size(self) -> int:
        """The number of cells."""
        return int(lib.llama_n_ctx(self._context))

    @property
    def longest(self) -> int:
        """The most tokens of one sequence, prompt and answer together."""
        return min(int(lib.llama_n_ctx_seq(self._context)), self._model.trained_context)

    def apply(self, operations: Ordered[Operation]) -> None:
        """Change what the slots hold."""
        for operation in operations:
            if isinstance(operation, Copy):
                lib.llama_memory_seq_cp(
                    self._memory, operation.source, operation.target, operation.start, operation.stop
                )
            else:
                lib.llama_memory_seq_rm(self._memory, operation.slot, operation.start, -1)

    def adapt(self, adapters: Adapters) -> None:
        """Compute the next steps with these adapters; a change takes milliseconds."""
        self._adapting.use(adapters)

    def decode(self, spans: Ordered[Span]) -> int:
        """Compute the spans in one batch; llama.cpp's status: 0 done, 1 no room, 2 aborted, below 0 failed."""
        return int(lib.llama_decode(self._context, self._batch.fill(spans)))

    def logits(self, row: int) -> Floats:
        """Give the logits behind the token at this place of the last batch, as a view that the next step changes."""
        pointer = lib.llama_get_logits_ith(self._context, row)
        return np.ctypeslib.as_array(pointer, (self._model.vocabulary,))

    def logprobs(self, row: int, token: int, top: int) -> tuple[float, list[tuple[int, float]]]:
        """Give the log probability of a token, and the `top` likeliest tokens with theirs."""
        logits = self.logits(row)
        peak = logits.max()
        values = logits - (peak + np.log(np.exp(logits - peak).sum()))
        best = np.argpartition(values, -top)[-top:] if top else np.empty(0, np.int64)
        ranked = sorted(((int(at), float(values[at])) for at in best), key=lambda pair: -pair[1])
        return float(values[token]), ranked

    def distribution(self, row: int, token: int, groups: Ordered[Ordered[int]]) -> Distribution:
        """Give a token's probability, the mass of groups of tokens, and the entropy of all, at temperature 1."""
        logits = self.logits(row)
        below = logits - logits.max()
        weights = np.exp(below)
        total = float(weights.sum())
        entropy = np.log(total) - float(weights @ below) / total
        masses = tuple(float(weights[list(group)].sum()) / total for group in groups)
        return Distribution(float(weights[token]) / total, masses, float(entropy))

    def sampler(self, sampling: Sampling, seed: int) -> Sampler | ConstrainedSampler:
        """Make the sampler of one sequence; InvalidRequest where llama.cpp does not take its grammar."""
        if sampling.grammar is None:
            return Sampler(self._context, self._model.vocabulary, sampling, seed)
        constraint = Constraint(self._model, sampling.grammar)
        return ConstrainedSampler(constraint, self.logits, self.size, sampling, seed)

    def warm_up(self) -> None:
        """Compute a step and forget it, so that the first request does not pay for paging the weights in.

        On GPUs it is the longest there is: what a step takes beside the reserved memory is taken here, and not in the
        middle of serving, where llama.cpp ends the process when there is none left. DoesNotFit when it fails.
        """
        self.adapt(self._adapting.every)
        tokens = [0] * (1 if self._on_cpu else min(self.budget, self.longest))
        status = self.decode([Span(0, 0, tokens, sampled=True)])
        if status:
            raise DoesNotFit(f"the first step failed with status {status}: {last_words()}")
        lib.llama_memory_clear(self._memory, True)  # noqa: FBT003 - the function takes positions only

    def abort(self) -> None:
        """Stop the computation that runs, from any thread; on GPUs it takes effect at the end of the step."""
        self._flag[0] = b"\x01"

    def resume(self) -> None:
        """Take back `abort`."""
        self._flag[0] = b"\x00"

    def close(self) -> None:
        """Free the context."""
        lib.llama_free(self._context)


def _context_params(model: Model, settings: EngineSettings) -> Any:
    params = lib.llama_context_default_params()
    params.n_ctx = settings.context or model.trained_context
    params.n_batch = settings.batch
    params.n_ubatch = settings.batch if gpu_layers(settings) else min(settings.batch, _CPU_ROWS)
    params.n_seq_max = params.n_outputs_max = settings.slots
    params.n_threads = params.n_threads_batch = settings.threads
    params.flash_attn_type = _FLASH_ATTENTION[settings.flash_attention]
    params.type_k = params.type_v = KV_TYPES[settings.kv_type]
    params.kv_unified = True
    return params
