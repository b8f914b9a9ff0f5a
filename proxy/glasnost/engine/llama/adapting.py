"""LoRA adapters and control vectors in llama.cpp: loaded with a model, applied to a context."""

from __future__ import annotations

import ctypes
from typing import Any

from glasnost.engine.adapters import Adapters
from glasnost.engine.gguf import read_gguf
from glasnost.engine.llama.lib import last_words, lib
from glasnost.engine.llama.steering import Floats
from glasnost.engine.loading import DoesNotFit
from glasnost.engine.lora_file import check_lora
from glasnost.engine.settings import EngineSettings
from glasnost.errors import ModelFileError


def check_loras(settings: EngineSettings) -> None:
    """See from the files' headers that all adapters are for the model; a ModelFileError names the one that is not."""
    if not settings.loras:
        return
    model = read_gguf(settings.path)
    for lora in settings.loras:
        try:
            check_lora(read_gguf(lora.path), model)
        except ModelFileError as error:
            raise ModelFileError(f"--lora {lora.name}={lora.path.name} cannot be used: {error}") from error


def load_loras(model: Any, settings: EngineSettings) -> list[Any]:
    """Load the adapters of a model, which frees them with itself; DoesNotFit when llama.cpp gives none."""
    loaded = []
    for lora in settings.loras:
        adapter = lib.llama_adapter_lora_init(model, str(lora.path).encode())
        if not adapter:
            raise DoesNotFit(f"--lora {lora.name}={lora.path.name} cannot be loaded: {last_words()}")
        loaded.append(adapter)
    return loaded


class Adapting:
    """What is applied to one context: always the control vectors, and the adapters that its next step needs."""

    def __init__(self, context: Any, loras: list[Any], steering: Floats | None, layers: tuple[int, int] | None) -> None:
        self._context = context
        self._loras = loras
        self._used: Adapters = ()
        if steering is not None:
            self._steer(steering, layers)

    @property
    def every(self) -> Adapters:
        """All adapters at once, the most that a step can be computed with."""
        return tuple((index, 1.0) for index in range(len(self._loras)))

    def use(self, adapters: Adapters) -> None:
        """Compute what comes next with these adapters and no others."""
        if adapters == self._used:
            return
        handles = (lib.llama_adapter_lora_p_ctypes * len(adapters))(*(self._loras[index] for index, _ in adapters))
        scales = (ctypes.c_float * len(adapters))(*(scale for _, scale in adapters))
        lib.llama_set_adapters_lora(self._context, handles, len(adapters), scales)
        self._used = adapters

    def _steer(self, steering: Floats, layers: tuple[int, int] | None) -> None:
        first, last = layers or (1, len(steering))
        data = steering.ctypes.data_as(ctypes.POINTER(ctypes.c_float))
        width = steering.shape[1]
        if lib.llama_set_adapter_cvec(self._context, data, steering.size, width, first, last):
            raise ModelFileError(f"the control vectors cannot be applied: {last_words()}")
