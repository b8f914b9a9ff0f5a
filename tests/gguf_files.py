"""GGUF files made for a test: bytes of any header, sound or not, and a tiny llama that really computes."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

U8, I8, U16, I16, U32, I32, F32, BOOL, STRING, ARRAY, U64, I64, F64 = range(13)
_CODES = {U8: "B", I8: "b", U16: "H", I16: "h", U32: "I", I32: "i", F32: "f", BOOL: "?", U64: "Q", I64: "q", F64: "d"}

Value = tuple[int, Any]


def text(value: str | bytes) -> bytes:
    data = value.encode() if isinstance(value, str) else value
    return struct.pack("<Q", len(data)) + data


def scalar(kind: int, value: Any) -> bytes:
    if kind not in _CODES:  # no such type
        return text(value) if kind == STRING else bytes(value)
    return struct.pack(f"<{_CODES[kind]}", value)


def array(kind: int, values: Sequence[Any]) -> Value:
    return ARRAY, (kind, values)


def value(kind: int, given: Any) -> bytes:
    if kind != ARRAY:
        return struct.pack("<I", kind) + scalar(kind, given)
    inner, values = given
    items = b"".join(scalar(inner, each) for each in values)
    return struct.pack("<IIQ", ARRAY, inner, len(values)) + items


@dataclass
class TensorInfo:
    """A tensor of zeros unless `data` is given, F32 unless told; `offset` None puts it behind the one before."""

    name: str
    shape: tuple[int, ...]
    kind: int = 0
    offset: int | None = None
    data: bytes | None = None

    @property
    def size(self) -> int:
        count = 4
        for length in self.shape:
            count *= length
        return count


@dataclass
class File:
    """What goes into a file; whatever is changed goes in as it is."""

    values: dict[str, Value]
    tensors: list[TensorInfo] = field(default_factory=list)
    magic: bytes = b"GGUF"
    version: int = 3

    def bytes(self, *, keys: int | None = None, tensors: int | None = None) -> bytes:
        counts = (len(self.tensors) if tensors is None else tensors, len(self.values) if keys is None else keys)
        head = self.magic + struct.pack("<IQQ", self.version, *counts)
        head += b"".join(text(key) + value(*given) for key, given in self.values.items())
        due, data = 0, b""
        for each in self.tensors:
            offset = due if each.offset is None else each.offset
            head += text(each.name) + struct.pack(f"<I{len(each.shape)}Q", len(each.shape), *each.shape)
            head += struct.pack("<IQ", each.kind, offset)
            padded = (each.size + 31) // 32 * 32
            data += (each.data or b"").ljust(padded, b"\0")
            due += padded
        return head + bytes(-len(head) % 32) + data

    def write(self, path: Path) -> Path:
        path.write_bytes(self.bytes())
        return path


def tiny(template: str | None = None, **changes: Value | None) -> File:
    """Give a llama of one layer with 320 tokens; `changes` replace keys (dots as `__`), None takes one out."""
    tokens = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), *(f"t{n}" for n in range(61))]
    values: dict[str, Value] = {
        "general.architecture": (STRING, "llama"),
        "llama.block_count": (U32, 1),
        "llama.context_length": (U32, 512),
        "llama.embedding_length": (U32, 32),
        "llama.feed_forward_length": (U32, 64),
        "llama.attention.head_count": (U32, 2),
        "llama.attention.head_count_kv": (U32, 1),
        "llama.attention.layer_norm_rms_epsilon": (F32, 1e-5),
        "tokenizer.ggml.model": (STRING, "llama"),
        "tokenizer.ggml.tokens": array(STRING, tokens),
        "tokenizer.ggml.scores": array(F32, [0.0] * len(tokens)),
        "tokenizer.ggml.token_type": array(I32, [2, 3, 3, *[6] * 256, *[1] * 61]),
        "tokenizer.ggml.bos_token_id": (U32, 1),
        "tokenizer.ggml.eos_token_id": (U32, 2),
    }
    if template is not None:
        values["tokenizer.chat_template"] = (STRING, template)
    for name, change in changes.items():
        key = name.replace("__", ".")
        if change is None:
            del values[key]
        else:
            values[key] = change
    shapes: Mapping[str, tuple[int, ...]] = {
        "token_embd.weight": (32, 320),
        "blk.0.attn_norm.weight": (32,),
        "blk.0.attn_q.weight": (32, 32),
        "blk.0.attn_k.weight": (32, 16),
        "blk.0.attn_v.weight": (32, 16),
        "blk.0.attn_output.weight": (32, 32),
        "blk.0.ffn_norm.weight": (32,),
        "blk.0.ffn_gate.weight": (32, 64),
        "blk.0.ffn_up.weight": (32, 64),
        "blk.0.ffn_down.weight": (64, 32),
        "output_norm.weight": (32,),
    }
    return File(values, [TensorInfo(name, shape) for name, shape in shapes.items()])
