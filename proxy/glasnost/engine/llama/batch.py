"""A llama_batch over arrays that are written by the slice, not token by token."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence as Ordered
from typing import Any

import numpy as np

from glasnost.engine.llama.lib import lib
from glasnost.engine.step import Span


class Batch:
    """Room for `size` tokens of `slots` sequences."""

    def __init__(self, size: int, slots: int) -> None:
        self._tokens = np.zeros(size, np.int32)
        self._positions = np.zeros(size, np.int32)
        self._counts = np.ones(size, np.int32)
        self._outputs = np.zeros(size, np.int8)
        self._slots = np.arange(slots, dtype=np.int32)
        self._pointers = np.zeros(size, np.uintp)
        self._batch = lib.llama_batch(
            0,
            self._tokens.ctypes.data_as(ctypes.POINTER(lib.llama_token)),
            None,
            self._positions.ctypes.data_as(ctypes.POINTER(lib.llama_pos)),
            self._counts.ctypes.data_as(ctypes.POINTER(ctypes.c_int32)),
            self._pointers.ctypes.data_as(ctypes.POINTER(ctypes.POINTER(lib.llama_seq_id))),
            self._outputs.ctypes.data_as(ctypes.POINTER(ctypes.c_int8)),
        )

    def fill(self, spans: Ordered[Span]) -> Any:
        """Give the batch of these spans; the next call overwrites it."""
        end = 0
        for span in spans:
            start, end = end, end + len(span.tokens)
            self._tokens[start:end] = span.tokens
            self._positions[start:end] = range(span.start, span.start + len(span.tokens))
            self._pointers[start:end] = self._slots.ctypes.data + span.slot * self._slots.itemsize
            self._outputs[start:end] = 0
            self._outputs[end - 1] = span.sampled
        self._batch.n_tokens = end
        return self._batch
