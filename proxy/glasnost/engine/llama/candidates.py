"""The tokens that one is chosen from, as llama.cpp's samplers take them."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
import numpy.typing as npt

from glasnost.engine.llama.lib import lib

_RECORD = np.dtype([("id", np.int32), ("logit", np.float32), ("p", np.float32)])


class Candidates:
    """Room for the whole vocabulary, used again for every token."""

    def __init__(self, vocabulary: int) -> None:
        self._ids = np.arange(vocabulary, dtype=np.int32)
        self._records = np.zeros(vocabulary, _RECORD)
        self._array: Any = lib.llama_token_data_array()

    def fill(self, logits: npt.NDArray[np.float32], ids: npt.NDArray[np.int32] | None = None) -> Any:
        """Take these tokens, all of the vocabulary without `ids`, and give them to be handed to a sampler."""
        number = len(logits)
        records = self._records[:number]
        records["id"] = self._ids if ids is None else ids
        records["logit"] = logits
        self._array.data = self._records.ctypes.data_as(ctypes.POINTER(lib.llama_token_data))
        self._array.size = number
        self._array.selected = -1
        self._array.sorted = False
        return ctypes.byref(self._array)

    @property
    def logits(self) -> npt.NDArray[np.float32]:
        """The logits as a sampler left them, in the order of `fill`; a view."""
        logits: npt.NDArray[np.float32] = self._records["logit"][: self._array.size]
        return logits

    @property
    def selected(self) -> int:
        """The token that the last sampler chose."""
        return int(self._array.data[self._array.selected].id)
