"""The only import of llama_cpp: its functions as `lib`, with what the library says led into our log."""

from __future__ import annotations

import ctypes
import logging
import os
from collections import deque

# The threads of a step wait for each other hundreds of times. GNU OpenMP spins for milliseconds while they wait:
# with anything else to run on the same cores, another engine for one, they spin against each other and compute
# next to nothing. Read when the library is loaded; costs 2 % on an idle machine.
os.environ.setdefault("GOMP_SPINCOUNT", "1000")
# Where llama.cpp ends the process over a figure that it takes for impossible, it says which in one line. It would then
# call a debugger, whose pages bury that line, and which takes seconds to stop a process that only has to end.
os.environ.setdefault("GGML_NO_BACKTRACE", "1")

try:
    import llama_cpp.llama_cpp as lib
except RuntimeError as error:
    hint = "; it was built for NVIDIA GPUs and needs their driver" if "libcuda.so" in str(error) else ""
    raise ImportError(f"llama.cpp cannot be loaded: {error}{hint}") from error

__all__ = ["last_words", "lib", "start"]

log = logging.getLogger("glasnost.engine.llama")

# ggml_log_level in ggml.h; 2 is what llama.cpp says of a model that is sound.
_WARNING, _ERROR = 3, 4
# Memory that is short is told in one line, and in a few more by each function that it reaches.
_said: deque[tuple[int, str]] = deque(maxlen=8)


def start() -> None:
    """Make llama.cpp ready; it says nothing to the terminal, and to the log at debug."""
    lib.llama_log_set(_LOG_CALLBACK, ctypes.c_void_p(0))
    lib.llama_backend_init()
    _said.clear()


def last_words() -> str:
    """Give the last errors, else the last warnings, for the message of an exception; the next will not repeat them."""
    said = list(_said)
    _said.clear()
    gravest = max((level for level, _ in said), default=_ERROR)
    return "; ".join(line for level, line in said if level == gravest) or "llama.cpp gave no reason"


def _on_log(level: int, text: bytes, _user_data: object) -> None:
    line = text.decode("utf-8", "replace").strip()
    if line:
        log.debug("%s", line)
        if level in (_WARNING, _ERROR):
            _said.append((level, line))


# llama.cpp calls it for as long as the process lives.
_LOG_CALLBACK = lib.llama_log_callback(_on_log)
