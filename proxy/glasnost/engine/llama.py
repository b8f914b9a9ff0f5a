"""llama.cpp, through the low-level API of llama-cpp-python: the only place that imports it.

A Model may be asked for tokens and text from any thread; a Context and its Samplers belong to one thread.
"""

from __future__ import annotations

import ctypes
import logging
from collections import deque
from collections.abc import Sequence as Ordered
from pathlib import Path
from typing import Any

import llama_cpp.llama_cpp as lib
import numpy as np
import numpy.typing as npt

from glasnost.engine.params import Sampling
from glasnost.engine.reasoning import CLOSE, OPEN
from glasnost.engine.scheduler import Copy, Operation, Span
from glasnost.engine.settings import EngineSettings
from glasnost.errors import ModelFileError

log = logging.getLogger("glasnost.engine.llama")

Floats = npt.NDArray[np.float32]
TokenLogprobs = list[tuple[int, float]]

_FLASH_ATTENTION = {
    "auto": lib.LLAMA_FLASH_ATTN_TYPE_AUTO,
    "on": lib.LLAMA_FLASH_ATTN_TYPE_ENABLED,
    "off": lib.LLAMA_FLASH_ATTN_TYPE_DISABLED,
}
_WARNING, _ERROR = 2, 3
_said: deque[str] = deque(maxlen=3)


def _on_log(level: int, text: bytes, _user_data: object) -> None:
    line = text.decode("utf-8", "replace").strip()
    if line:
        log.debug("%s", line)
        if level in (_WARNING, _ERROR):
            _said.append(line)


# llama.cpp calls it for as long as the process lives.
_LOG_CALLBACK = lib.llama_log_callback(_on_log)


def _start() -> None:
    lib.llama_log_set(_LOG_CALLBACK, ctypes.c_void_p(0))
    lib.llama_backend_init()


class Model:
    """The weights and the vocabulary of one GGUF; ModelFileError when it cannot be loaded."""

    def __init__(self, settings: EngineSettings) -> None:
        _check_magic(settings.path)
        _start()
        params = lib.llama_model_default_params()
        offload = bool(lib.llama_supports_gpu_offload())
        wanted = -1 if settings.gpu_layers is None else settings.gpu_layers
        params.n_gpu_layers = wanted if offload else 0
        split = _tensor_split(settings.tensor_split)
        params.tensor_split = split
        _said.clear()
        self._model = lib.llama_model_load_from_file(str(settings.path).encode(), params)
        if not self._model:
            reason = "; ".join(_said) or "llama.cpp gave no reason"
            raise ModelFileError(f"{settings.path.name} cannot be loaded: {reason}")
        self._vocab = lib.llama_model_get_vocab(self._model)
        self._pieces: dict[int, bytes] = {}
        self.vocabulary: int = lib.llama_vocab_n_tokens(self._vocab)
        if not lib.llama_model_has_decoder(self._model) or not self.vocabulary:
            raise ModelFileError(f"{settings.path.name} is not a model that generates text")

    @property
    def handle(self) -> Any:
        """The model as llama.cpp's own functions take it."""
        return self._model

    @property
    def trained_context(self) -> int:
        """The context that the model was trained with, in tokens."""
        return int(lib.llama_model_n_ctx_train(self._model))

    @property
    def description(self) -> str:
        """Family, size and quantisation, as llama.cpp puts it."""
        buffer = ctypes.create_string_buffer(256)
        lib.llama_model_desc(self._model, buffer, len(buffer))
        return buffer.value.decode("utf-8", "replace")

    @property
    def partial_cache(self) -> bool:
        """True when a part of a sequence's cache can be dropped or copied; a recurrent state is all or nothing."""
        return not (lib.llama_model_is_recurrent(self._model) or lib.llama_model_is_hybrid(self._model))

    @property
    def template(self) -> str | None:
        """The chat template in the file, if there is one."""
        text = lib.llama_model_chat_template(self._model, None)
        return None if text is None else text.decode("utf-8", "replace")

    def special(self, name: str) -> str:
        """Give the text of the `bos` or `eos` token, empty when there is none."""
        token = {"bos": lib.llama_vocab_bos, "eos": lib.llama_vocab_eos}[name](self._vocab)
        return "" if token < 0 else self._render(token, special=True).decode("utf-8", "replace")

    def tokenize(self, text: str) -> list[int]:
        """Give the tokens of a rendered prompt: special tokens in it count, BOS is added where the model wants it."""
        data = text.encode("utf-8")
        bos = self.special("bos")
        add_special = not (bos and text.startswith(bos))
        size = len(data) + 8
        buffer = (lib.llama_token * size)()
        number = lib.llama_tokenize(self._vocab, data, len(data), buffer, size, add_special, True)  # noqa: FBT003
        if number < 0:
            raise ModelFileError("the vocabulary gives more tokens than the text has bytes")
        return list(buffer[:number])

    def longest_piece(self) -> int:
        """Give the bytes of the longest token."""
        return max(len(self._render(token, special=True)) for token in range(self.vocabulary))

    def piece(self, token: int) -> bytes:
        """Give the bytes that a token stands for; control tokens have none, but for the tags of thinking."""
        piece = self._pieces.get(token)
        if piece is None:
            piece = self._render(token, special=False)
            if not piece and self._render(token, special=True) in (OPEN.encode(), CLOSE.encode()):
                piece = self._render(token, special=True)
            self._pieces[token] = piece
        return piece

    def ends(self, token: int) -> bool:
        """Say whether the token ends the answer."""
        return bool(lib.llama_vocab_is_eog(self._vocab, token))

    def close(self) -> None:
        """Free the weights; no context may be in use."""
        lib.llama_model_free(self._model)

    def _render(self, token: int, *, special: bool) -> bytes:
        size = 64
        while True:
            buffer = ctypes.create_string_buffer(size)
            length = lib.llama_token_to_piece(self._vocab, token, buffer, size, 0, special)
            if length >= 0:
                return buffer.raw[:length]
            size = -length


class Context:
    """The KV cache and the computation of one model, for `settings.slots` sequences that share all cells."""

    def __init__(self, model: Model, settings: EngineSettings) -> None:
        self._model = model
        self._context = lib.llama_init_from_model(model.handle, _context_params(model, settings))
        if not self._context:
            raise ModelFileError(f"no context of {settings.context} tokens: {'; '.join(_said) or 'out of memory'}")
        self._memory = lib.llama_get_memory(self._context)
        self._batch = _Batch(settings.batch, settings.slots)
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

    def decode(self, spans: Ordered[Span]) -> int:
        """Compute the spans in one batch; llama.cpp's status: 0 done, 1 no room, 2 aborted, below 0 failed."""
        return int(lib.llama_decode(self._context, self._batch.fill(spans)))

    def logits(self, row: int) -> Floats:
        """Give the logits behind the token at this place of the last batch, as a view that the next step changes."""
        pointer = lib.llama_get_logits_ith(self._context, row)
        return np.ctypeslib.as_array(pointer, (self._model.vocabulary,))

    def logprobs(self, row: int, token: int, top: int) -> tuple[float, TokenLogprobs]:
        """Give the log probability of a token, and the `top` likeliest tokens with theirs."""
        logits = self.logits(row)
        peak = logits.max()
        values = logits - (peak + np.log(np.exp(logits - peak).sum()))
        best = np.argpartition(values, -top)[-top:] if top else np.empty(0, np.int64)
        ranked = sorted(((int(at), float(values[at])) for at in best), key=lambda pair: -pair[1])
        return float(values[token]), ranked

    def sampler(self, sampling: Sampling, seed: int) -> Sampler:
        """Make the sampler of one sequence."""
        return Sampler(self._context, self._model.vocabulary, self.size, sampling, seed)

    def warm_up(self) -> None:
        """Compute one token and forget it, so that the first request does not pay for paging the weights in."""
        self.decode([Span(0, 0, [0], sampled=True)])
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


class _Batch:
    """A llama_batch over arrays that are written by the slice, not token by token."""

    def __init__(self, size: int, slots: int) -> None:
        self._tokens = np.zeros(size, np.int32)
        self._positions = np.zeros(size, np.int32)
        self._counts = np.ones(size, np.int32)
        self._outputs = np.zeros(size, np.int8)
        self._slots = np.arange(slots, dtype=np.int32)
        self._pointers = np.zeros(size, np.uintp)
        self._batch = lib.llama_batch(
            0,
            self._tokens.ctypes.data_as(ctypes.POINTER(lib.llama_token)),
            None,
            self._positions.ctypes.data_as(ctypes.POINTER(lib.llama_pos)),
            self._counts.ctypes.data_as(ctypes.POINTER(ctypes.c_int32)),
            self._pointers.ctypes.data_as(ctypes.POINTER(ctypes.POINTER(lib.llama_seq_id))),
            self._outputs.ctypes.data_as(ctypes.POINTER(ctypes.c_int8)),
        )

    def fill(self, spans: Ordered[Span]) -> Any:
        end = 0
        for span in spans:
            start, end = end, end + len(span.tokens)
            self._tokens[start:end] = span.tokens
            self._positions[start:end] = range(span.start, span.start + len(span.tokens))
            self._pointers[start:end] = self._slots.ctypes.data + span.slot * self._slots.itemsize
            self._outputs[start:end] = 0
            self._outputs[end - 1] = span.sampled
        self._batch.n_tokens = end
        return self._batch


def _check_magic(path: Path) -> None:
    try:
        with path.open("rb") as file:
            magic = file.read(4)
    except OSError as error:
        raise ModelFileError(f"{path} cannot be read: {error.strerror}") from error
    if magic != b"GGUF":
        raise ModelFileError(f"{path.name} is not a GGUF file")


def _tensor_split(shares: tuple[float, ...]) -> Any:
    if not shares:
        return None
    most = int(lib.llama_max_devices())
    if len(shares) > most:
        raise ModelFileError(f"tensor-split names {len(shares)} devices, llama.cpp knows at most {most}")
    return (ctypes.c_float * most)(*shares)


def _context_params(model: Model, settings: EngineSettings) -> Any:
    params = lib.llama_context_default_params()
    params.n_ctx = settings.context or model.trained_context
    params.n_batch = params.n_ubatch = settings.batch
    params.n_seq_max = params.n_outputs_max = settings.slots
    params.n_threads = params.n_threads_batch = settings.threads
    params.flash_attn_type = _FLASH_ATTENTION[settings.flash_attention]
    params.type_k = params.type_v = getattr(lib, f"GGML_TYPE_{settings.kv_type.upper()}")
    params.kv_unified = True
    return params


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
