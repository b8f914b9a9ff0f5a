"""Where a model's bytes are: what the arithmetic of memory takes from a GGUF, and what no model can be.

llama.cpp ends its process, with an assertion, on some figures that no model has; they are refused here in words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from platform import machine

from glasnost.engine.tensors import BLOCKS, Array, Gguf, Tensor
from glasnost.errors import ModelFileError

# The limits of llama.cpp (llama-hparams.h), and far more than any model has of the rest.
_MAX_LAYERS = 512
_MAX_EXPERTS = 1_024
_MOST = 1 << 24
_ROPE_SCALINGS = ("none", "linear", "yarn", "longrope")

# Types whose matrices are copied into another order for the vector units of a CPU (ggml_repack_get_optimal_repack_type
# in ggml-cpu/repack.cpp); those of ARM stand there, and were not measured.
_REPACKED = frozenset({2, 8, 12, 13, 14, 20, 39} if machine() in ("aarch64", "arm64") else {2, 10, 12, 20, 39})
# What is looked up by token, position or kind stays in RAM, whatever is on a GPU.
_LOOKED_UP = ("token_embd", "per_layer_token_embd", "position_embd", "token_types")
# Families of which only every fourth layer is no recurrent one, unless the file says otherwise.
_INTERLEAVED = ("qwen3next", "qwen35", "qwen35moe", "qwen4exp", "minimax-01")
# Types of whole numbers and of doubles, with which no matrix of a model is multiplied; one table of them is looked up.
_NO_WEIGHTS = range(24, 29)
_TABLE = "tid2eid"
_LAYER = re.compile(r"blk\.(\d{1,4})\.")


@dataclass(frozen=True, slots=True)
class Layout:
    """A model's bytes and sizes.

    `layers` are the bytes of weights of each layer, `repacked` those of them that a CPU holds a second time, `inputs`
    the bytes of what is looked up by token, `outputs` of what follows the last layer, `shared` those of `inputs` that
    follow the last layer too. `cell` are the numbers (keys and values) that each layer keeps of one token, `state`
    the bytes that each keeps of one sequence, however long. `width`, `inner`, `heads` and `vocabulary` size a step.
    """

    name: str
    layers: tuple[int, ...]
    repacked: tuple[int, ...]
    inputs: int
    outputs: int
    shared: int
    cell: tuple[int, ...]
    state: int
    trained: int
    width: int
    inner: int
    heads: int
    vocabulary: int


def layout_of(gguf: Gguf) -> Layout:
    """Take the figures out of a file; raises ModelFileError where one is missing or impossible."""
    keys = _Keys(gguf)
    layers = keys.number("block_count", least=1, most=_MAX_LAYERS)
    _check(keys, layers)
    _check_types(gguf)
    heads = keys.per_layer("attention.head_count", layers, 0)
    weights, repacked, inputs, outputs, shared = [0] * layers, [0] * layers, 0, 0, 0
    for tensor in gguf.tensors:
        match = _LAYER.match(tensor.name)
        layer = min(int(match[1]), layers - 1) if match else None
        if layer is not None:
            weights[layer] += tensor.size
            repacked[layer] += tensor.size if _is_repacked(tensor) else 0
        elif tensor.name.startswith(_LOOKED_UP):
            inputs += tensor.size
        else:
            outputs += tensor.size
        if tensor.name == "token_embd.weight" and not any(each.name == "output.weight" for each in gguf.tensors):
            shared = tensor.size
    return Layout(
        name=gguf.name,
        layers=tuple(weights),
        repacked=tuple(repacked),
        inputs=inputs,
        outputs=outputs,
        shared=shared,
        cell=tuple(_cells(keys, layers)),
        state=_state(keys, max(heads)),
        trained=keys.number("context_length", least=1),
        width=keys.number("embedding_length", least=1),
        inner=_inner(keys, layers),
        heads=max(heads),
        vocabulary=keys.vocabulary(),
    )


class _Keys:
    """The figures of a file, under the names that its architecture gives them."""

    def __init__(self, gguf: Gguf) -> None:
        self._gguf = gguf
        family = gguf.values.get("general.architecture")
        if not isinstance(family, str) or not family:
            raise self.wrong("general.architecture", "is missing")
        self._family = family
        #: Every which layer attends to all tokens, where the file does not say so.
        self.interval = 4 if family in _INTERLEAVED else 1

    def number(self, key: str, default: int | None = None, *, least: int = 0, most: int = _MOST) -> int:
        value = self._gguf.values.get(f"{self._family}.{key}", default)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise self._outside(key, least, most)
        return value

    def per_layer(self, key: str, layers: int, default: int) -> list[int]:
        """Give a figure that may be one for all layers, or one for each."""
        value = self._gguf.values.get(f"{self._family}.{key}", default)
        if not isinstance(value, Array):
            return [self.number(key, default)] * layers
        items = value.items or ()
        known = [int(item) for item in items if isinstance(item, int) and 0 <= item <= _MOST]
        if len(known) != layers or len(items) != layers:
            raise self.wrong(f"{self._family}.{key}", f"must hold one number for each of the {layers} layers")
        return known

    def text(self, key: str, default: str) -> str:
        value = self._gguf.values.get(f"{self._family}.{key}", default)
        return value if isinstance(value, str) else ""

    def below_zero(self, key: str) -> bool:
        value = self._gguf.values.get(f"{self._family}.{key}")
        return isinstance(value, float) and value < 0

    def vocabulary(self) -> int:
        tokens = self._gguf.values.get("tokenizer.ggml.tokens")
        if not isinstance(tokens, Array) or tokens.length < 1:
            raise self.wrong("tokenizer.ggml.tokens", "must hold the vocabulary")
        return tokens.length

    def token(self, name: str) -> int | None:
        value = self._gguf.values.get(f"tokenizer.ggml.{name}_token_id")
        return value if isinstance(value, int) else None

    def adds(self, name: str) -> bool:
        return self._gguf.values.get(f"tokenizer.ggml.add_{name}_token") is True

    def wrong(self, key: str, why: str) -> ModelFileError:
        return ModelFileError(f"{self._gguf.name} cannot be loaded: {key} {why}")

    def _outside(self, key: str, least: int, most: int) -> ModelFileError:
        value = self._gguf.values.get(f"{self._family}.{key}")
        said = "is missing" if value is None else f"is {str(value)[:32]}"
        return self.wrong(f"{self._family}.{key}", f"{said}; it must be a number from {least} to {most}")


def _check(keys: _Keys, layers: int) -> None:
    """Refuse the figures that llama.cpp takes for impossible, and ends the process over."""
    keys.number("nextn_predict_layers", 0, most=layers)
    experts = keys.number("expert_count", 0, most=_MAX_EXPERTS)
    used = max(keys.per_layer("expert_used_count", layers, 0))
    groups = keys.number("expert_group_count", 0)
    if used > experts or bool(used) != bool(experts) or groups >= max(experts, 1):
        raise keys.wrong(
            "the counts of experts", f"do not agree: {experts}, of which {used} are used, in {groups} groups"
        )
    if groups > 1 and (experts % groups or not 0 < keys.number("expert_group_used_count", 0) < groups):
        raise keys.wrong("the counts of experts", f"do not agree: {experts} in {groups} groups")
    if keys.below_zero("attention.layer_norm_rms_epsilon"):
        raise keys.wrong("attention.layer_norm_rms_epsilon", "is below 0")
    if keys.text("rope.scaling.type", "linear") not in _ROPE_SCALINGS:
        raise keys.wrong("rope.scaling.type", f"is none of {', '.join(_ROPE_SCALINGS)}")
    heads = keys.per_layer("attention.head_count", layers, 0)
    shared = keys.per_layer("attention.head_count_kv", layers, 0)
    if any(own and of and of % own for of, own in zip(heads, shared, strict=True)):
        raise keys.wrong("attention.head_count", "is no multiple of attention.head_count_kv")
    for name in ("bos", "eos"):
        token = keys.token(name)
        if keys.adds(name) and token is not None and token >= keys.vocabulary():
            raise keys.wrong(f"tokenizer.ggml.{name}_token_id", f"is {token}, beyond the vocabulary")


def _check_types(gguf: Gguf) -> None:
    for tensor in gguf.tensors:
        if tensor.kind in _NO_WEIGHTS and tensor.name.endswith(".weight") and _TABLE not in tensor.name:
            name = f"the tensor {tensor.name[:64]!r}"
            raise ModelFileError(f"{gguf.name} cannot be loaded: {name} is of type {tensor.kind}, as no weights are")


def _cells(keys: _Keys, layers: int) -> Iterator[int]:
    """Give the numbers that each layer keeps of a token: for each head of keys and values, one key and one value.

    Layers of a sliding window keep all tokens as well, since llama.cpp's context is made with `swa_full`. Models with
    latent attention (MLA) keep no values, and an indexer (DSA) one more key. Layers that are recurrent keep nothing
    of a token, where the file tells which they are; all others are counted: at most too much.
    """
    heads = keys.per_layer("attention.head_count", layers, 0)
    shared = keys.per_layer("attention.head_count_kv", layers, heads[0])
    width = keys.number("embedding_length", least=1) // max(heads[0], 1)
    longest = [keys.number(f"attention.{what}_length", width) for what in ("key", "value")]
    windowed = [keys.number(f"attention.{what}_length_swa", 0) for what in ("key", "value")]
    key, value = (max(pair) for pair in zip(longest, windowed, strict=True))
    latent = keys.number("attention.key_length_mla", 0) > 0
    index = keys.number("attention.indexer.key_length", 0)
    for each, recurrent in zip(shared, _recurrent(keys, layers), strict=True):
        yield 0 if recurrent or not each else each * (key if latent else key + value) + index


def _recurrent(keys: _Keys, layers: int) -> list[bool]:
    """Tell of each layer whether it is a recurrent one, in the two ways that files say so beside `head_count_kv` 0."""
    named = keys.per_layer("attention.recurrent_layers", layers, 0)
    if any(named):
        return [bool(each) for each in named]
    interval = keys.number("full_attention_interval", keys.interval, least=1)
    last = layers - keys.number("nextn_predict_layers", 0)
    return [layer < last and (layer + 1) % interval != 0 for layer in range(layers)]


def _state(keys: _Keys, heads: int) -> int:
    """Give the bytes of a recurrent layer's state of one sequence (n_embd_r and n_embd_s of llama-hparams.cpp)."""
    width = keys.number("embedding_length", least=1)
    rows = max(keys.number("ssm.conv_kernel", 0) - 1, 0)
    if head := keys.number("wkv.head_size", 0):  # RWKV
        return 4 * width * (head + keys.number("token_shift_count", 2))
    if short := keys.number("shortconv.l_cache", 0):  # LFM2
        return 4 * width * (short - 1)
    if head := keys.number("kda.head_dim", 0):  # Kimi
        return 4 * heads * head * (3 * (rows or 3) + head)
    inner, states = keys.number("ssm.inner_size", 0), keys.number("ssm.state_size", 0)
    groups = keys.number("ssm.group_count", 0)
    return 4 * (rows * (inner + 2 * groups * states) + states * inner)


def _inner(keys: _Keys, layers: int) -> int:
    """Give the width of the widest feed-forward, over all experts that one token takes."""
    dense = max(keys.per_layer("feed_forward_length", layers, 0))
    expert = max(keys.per_layer("expert_feed_forward_length", layers, 0))
    return max(dense, expert * max(keys.per_layer("expert_used_count", layers, 0)))


def _is_repacked(tensor: Tensor) -> bool:
    return tensor.kind in _REPACKED and len(tensor.shape) > 1 and prod(tensor.shape[1:]) % 8 == 0


#: ggml's numbers of the types that a cache of keys and values can have.
KV_TYPES = {"f16": 1, "bf16": 30, "q8_0": 8, "q5_1": 7, "q5_0": 6, "q4_1": 3, "q4_0": 2}


def kv_bytes(cells: int, kv_type: str) -> int:
    """Give the bytes of so many numbers of a cache of this type."""
    elements, size = BLOCKS[KV_TYPES[kv_type]]
    return -(-cells // elements) * size
