"""How one engine is set up: everything that `glasnost engine` can be told."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from glasnost.engine.adapters import MAX_SCALE

FlashAttention = Literal["auto", "on", "off"]
KvType = Literal["f16", "bf16", "q8_0", "q5_1", "q5_0", "q4_1", "q4_0"]


def available_cores() -> int:
    """Count the cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(frozen=True, slots=True)
class Lora:
    """A LoRA adapter by the name that requests may give it; it is applied to those that do not say which they want."""

    name: str
    path: Path
    scale: float = 1.0


@dataclass(frozen=True, slots=True)
class ControlVector:
    """Directions that are added, so many times, to what the layers give."""

    path: Path
    scale: float = 1.0


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """Settings of one engine.

    `context` is the number of tokens that all sequences share, 0 for what the model was trained with.
    `gpu_layers` None means every layer where llama.cpp was built for a GPU, and none elsewhere. `batch` is the
    most tokens of one step; on a CPU a step is smaller, since there it would only be longer. `control_layers` are the
    first and the last layer that control vectors change, None for all. `parent` is the process whose end ends the
    engine.
    """

    path: Path
    name: str
    slots: int = 4
    context: int = 8192
    queue: int = 64
    batch: int = 512
    threads: int = field(default_factory=available_cores)
    gpu_layers: int | None = None
    tensor_split: tuple[float, ...] = ()
    kv_type: KvType = "f16"
    flash_attention: FlashAttention = "auto"
    loras: tuple[Lora, ...] = ()
    control_vectors: tuple[ControlVector, ...] = ()
    control_layers: tuple[int, int] | None = None
    host: str = "127.0.0.1"
    port: int = 9000
    uds: Path | None = None
    parent: int | None = None
    api_key: str | None = field(default=None, repr=False)

    def problems(self) -> list[str]:
        """Name every setting that cannot work, in words for the operator; empty when all is well."""
        found = [
            f"{name} must be at least {least}, not {value}"
            for name, value, least in (
                ("slots", self.slots, 1),
                ("ctx", self.context, 0),
                ("queue", self.queue, 0),
                ("threads", self.threads, 1),
                ("batch", self.batch, max(self.slots, 1)),
            )
            if value < least
        ]
        if self.slots > 256:
            found.append(f"slots must be at most 256, llama.cpp's limit of sequences, not {self.slots}")
        if self.gpu_layers is not None and self.gpu_layers < 0:
            found.append(f"gpu-layers must be auto or at least 0, not {self.gpu_layers}")
        if any(share < 0 for share in self.tensor_split):
            found.append("tensor-split must hold shares of at least 0")
        if self.kv_type.startswith("q") and self.flash_attention == "off":
            found.append(f"kv-type {self.kv_type} needs flash attention, which is off")
        if self.uds is None and not self.loopback and self.api_key is None:
            found.append(f"host {self.host} is open to the network: set GLASNOST_ENGINE_KEY, or use 127.0.0.1")
        return [*found, *self._adapter_problems()]

    def _adapter_problems(self) -> list[str]:
        found = [
            f"{option} {path.name} has the scale {scale:g}; it must be from {-MAX_SCALE:g} to {MAX_SCALE:g}"
            for option, path, scale in (
                *(("lora", each.path, each.scale) for each in self.loras),
                *(("control-vector", each.path, each.scale) for each in self.control_vectors),
            )
            if not abs(scale) <= MAX_SCALE
        ]
        names = [each.name for each in self.loras]
        found += [f"lora {name} is named twice" for name in dict.fromkeys(names) if names.count(name) > 1]
        if self.control_layers is not None:
            if not self.control_vectors:
                found.append("control-vector-layers needs a control-vector")
            if not 1 <= self.control_layers[0] <= self.control_layers[1]:
                found.append("control-vector-layers must be two numbers from 1 on, the smaller first, as in 8-20")
        return found

    @property
    def loopback(self) -> bool:
        """True when only this machine can reach the host."""
        return self.host in ("localhost", "::1") or self.host.startswith("127.")
