"""What a loaded GGUF says of itself, and what computes it."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

from glasnost.engine.llama.lib import lib
from glasnost.engine.llama.model import Model

# Bytes of the longest value that is told.
_LONGEST = 512
_TEMPLATE = "tokenizer.chat_template"
_POOLINGS = {"1": "mean", "2": "cls", "3": "last", "4": "rank"}


def metadata(model: Model) -> dict[str, str]:
    """Give keys and values of the file as text: the template, arrays and values of more than 512 bytes are not."""
    pairs = (
        (_text(lib.llama_model_meta_key_by_index, model, at), _text(lib.llama_model_meta_val_str_by_index, model, at))
        for at in range(lib.llama_model_meta_count(model.handle))
    )
    return {key: value for key, value in pairs if key and key != _TEMPLATE and value is not None}


def pooling(model: Model) -> str | None:
    """Say how the file's makers pool embeddings: mean, cls, last, rank, or None when it does not tell."""
    known = metadata(model)
    return _POOLINGS.get(known.get(f"{known.get('general.architecture')}.pooling_type", ""))


def causal(model: Model) -> bool:
    """Say whether a token sees those before it only, as it must where text is generated."""
    known = metadata(model)
    return known.get(f"{known.get('general.architecture')}.attention.causal") != "false"


def sizes(model: Model) -> dict[str, int]:
    """Give counts: tokens of the vocabulary and of the trained context, width, parameters, bytes of the weights."""
    return {
        "n_vocab": model.vocabulary,
        "n_ctx_train": model.trained_context,
        "n_embd": int(lib.llama_model_n_embd_out(model.handle)),
        "n_params": int(lib.llama_model_n_params(model.handle)),
        "size": int(lib.llama_model_size(model.handle)),
    }


def build() -> dict[str, Any]:
    """Say which llama.cpp computes, and with what."""
    return {
        "llama_cpp_python": version("llama-cpp-python"),
        "llama_cpp": lib.llama_version().decode("utf-8", "replace"),
        "system": lib.llama_print_system_info().decode("utf-8", "replace").strip(" |"),
        "gpu_offload": bool(lib.llama_supports_gpu_offload()),
    }


def _text(read: Callable[..., int], model: Model, index: int) -> str | None:
    buffer = ctypes.create_string_buffer(_LONGEST + 1)
    length = read(model.handle, index, buffer, len(buffer))
    return buffer.value.decode("utf-8", "replace") if 0 <= length <= _LONGEST else None
