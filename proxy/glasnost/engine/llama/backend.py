"""llama.cpp as `loading` drives it: what it was built for, and models and contexts of the size that is asked."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

from glasnost.engine.llama.context import Context
from glasnost.engine.llama.lib import lib, start
from glasnost.engine.llama.model import Model
from glasnost.engine.loading import DoesNotFit
from glasnost.engine.settings import EngineSettings


class LlamaCpp:
    """Loads a model with so many `layers`; the `Backend` of `loading`."""

    def __init__(self, layers: int) -> None:
        start()
        self.layers = layers
        self.offload = bool(lib.llama_supports_gpu_offload())
        self.accelerator = accelerator(lib.llama_print_system_info().decode())

    def model(self, settings: EngineSettings) -> Model:
        """Load the weights."""
        return Model(settings)

    def context(self, model: Model, settings: EngineSettings) -> Context:
        """Make a context that has computed its first step."""
        context = Context(model, settings)
        try:
            # OpenMP keeps a pool of threads for every thread that computed. With more of them than cores it puts
            # threads to sleep at each barrier of a step: a token took half as long again. A pool ends with its thread.
            with ThreadPoolExecutor(1) as thread:
                thread.submit(context.warm_up).result()
        except DoesNotFit:
            context.close()
            raise
        return context


def accelerator(system_info: str) -> str:
    """Give the kind of GPU that llama.cpp was built for; it lists what it has as `CPU : A = 1 | CUDA : B = 1 | `."""
    names = re.findall(r"(?:^|\| )(\w+) : ", system_info)
    return next((name for name in names if name != "CPU"), "")
