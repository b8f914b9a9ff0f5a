"""llama.cpp, through the low-level API of llama-cpp-python."""

from glasnost.engine.llama.backend import LlamaCpp
from glasnost.engine.llama.context import Context
from glasnost.engine.llama.model import Model

__all__ = ["Context", "LlamaCpp", "Model"]
