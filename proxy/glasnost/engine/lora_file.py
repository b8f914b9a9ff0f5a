"""What a LoRA adapter's file must be before llama.cpp gets it: it checks less, and then ends the process.

The format is what llama.cpp's convert_lora_to_gguf.py writes: for a weight of the model two tensors, its name with
`.lora_a` and `.lora_b`, whose product is added to it.
"""

from __future__ import annotations

import math

from glasnost.engine.tensors import Gguf, Tensor
from glasnost.errors import ModelFileError

# F32, F16, Q8_0 and BF16: what the converter writes, and what every backend multiplies.
_KINDS = (0, 1, 8, 30)
_ACTIVATED = "adapter.alora.invocation_tokens"
_TABLE, _OUTPUT = "token_embd.weight", "output.weight"
_A, _B = ".lora_a", ".lora_b"


def check_lora(adapter: Gguf, model: Gguf) -> None:
    """Raise a ModelFileError that says why an adapter is none for a model."""
    _check_keys(adapter, model)
    weights = {tensor.name: tensor for tensor in model.tensors}
    parts = {tensor.name: tensor for tensor in adapter.tensors if not tensor.name.endswith("_norm.weight")}
    if not parts:
        raise ModelFileError("it holds no adapter: there are no tensors in it")
    for name in parts:
        weight = name.removesuffix(_A).removesuffix(_B)
        if weight == name:
            raise ModelFileError(f"its tensor {name[:64]!r} is no part of an adapter")
        if weight + _A not in parts or weight + _B not in parts:
            raise ModelFileError(f"one of the two parts for {weight[:64]!r} is missing")
        if weight not in weights:
            raise ModelFileError(f"it changes {weight[:64]!r}, which the model has not: it was made for another")
        if weight == _TABLE and _OUTPUT not in weights:
            raise ModelFileError(f"it changes {_TABLE}, which is this model's output too: llama.cpp cannot do both")
        _check_shapes(weights[weight], parts[weight + _A], parts[weight + _B])


def _check_keys(adapter: Gguf, model: Gguf) -> None:
    kind = (adapter.values.get("general.type"), adapter.values.get("adapter.type"))
    if kind != ("adapter", "lora"):
        raise ModelFileError("it is no LoRA adapter: general.type is not adapter, or adapter.type is not lora")
    made_for, there = (each.values.get("general.architecture") for each in (adapter, model))
    if made_for != there:
        raise ModelFileError(f"it was made for a model of the family {made_for}, and this one is of {there}")
    alpha = adapter.values.get("adapter.lora.alpha", 0.0)
    if not isinstance(alpha, float) or not math.isfinite(alpha):
        raise ModelFileError("its adapter.lora.alpha is no number")
    if _ACTIVATED in adapter.values:
        raise ModelFileError(
            "it is an activated LoRA, for the part behind certain tokens only; these are not supported"
        )


def _check_shapes(weight: Tensor, a: Tensor, b: Tensor) -> None:
    for part in (a, b):
        if part.kind not in _KINDS:
            raise ModelFileError(f"its tensor {part.name[:64]!r} is not of F32, F16, BF16 or Q8_0")
    (inner, outer, *rest), (a0, a1, *a_rest), (b0, b1, *b_rest) = (_shape(each) for each in (weight, a, b))
    # Of the table of tokens rows are taken, so there the first part is the other way round.
    fits = (a0, a1, b1) == (b0, outer, inner) if weight.name == _TABLE else (a0, a1, b1) == (inner, b0, outer)
    if not fits or not a_rest == b_rest == rest:
        raise ModelFileError(
            f"its parts for {weight.name[:64]!r} are of {a.shape} and {b.shape}, and the model's weight of "
            f"{weight.shape}: it was made for another"
        )


def _shape(tensor: Tensor) -> tuple[int, ...]:
    return (*tensor.shape, 1, 1, 1, 1)[:4]
