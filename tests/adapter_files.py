"""LoRA adapters and control vectors made for a test: random, from a seed, and strong enough to change an answer."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gguf_files import F32, STRING, File, TensorInfo, Value

# SmolLM2-135M.
WIDTH, LAYERS = 576, 30
RANK = 4


def tensor(name: str, shape: tuple[int, ...], random: np.random.Generator, strength: float) -> TensorInfo:
    data = (random.standard_normal(shape[::-1]) * strength).astype("<f4").tobytes()
    return TensorInfo(name, shape, data=data)


def lora(seed: int, *, width: int = WIDTH, layers: int = LAYERS, strength: float = 0.2, **changes: Value) -> File:
    """Give an adapter of the queries of all layers; `changes` replace keys (dots as `__`)."""
    random = np.random.default_rng(seed)
    values: dict[str, Value] = {
        "general.type": (STRING, "adapter"),
        "general.architecture": (STRING, "llama"),
        "adapter.type": (STRING, "lora"),
        "adapter.lora.alpha": (F32, float(RANK)),
    }
    values.update({name.replace("__", "."): change for name, change in changes.items()})
    tensors = []
    for layer in range(layers):
        name = f"blk.{layer}.attn_q.weight"
        tensors.append(tensor(f"{name}.lora_a", (width, RANK), random, strength))
        tensors.append(tensor(f"{name}.lora_b", (RANK, width), random, strength))
    return File(values, tensors)


def control_vector(seed: int, *, width: int = WIDTH, layers: range = range(8, 20), strength: float = 1.0) -> File:
    """Give a control vector with a direction for each of the layers."""
    random = np.random.default_rng(seed)
    values: dict[str, Value] = {"general.architecture": (STRING, "controlvector")}
    return File(values, [tensor(f"direction.{layer}", (width,), random, strength) for layer in layers])


def adapters(folder: Path, *seeds: int) -> list[Path]:
    """Write an adapter for each seed."""
    return [lora(seed).write(folder / f"lora{seed}.gguf") for seed in seeds]
