"""What is tried when a model does not fit: a smaller batch, then fewer layers on the GPUs, at last the CPU alone."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Protocol, TypeVar

from glasnost.engine.settings import EngineSettings
from glasnost.errors import ModelFileError

log = logging.getLogger("glasnost.engine")

#: Below this a step saves no more memory worth having, and a GPU computes it no faster.
LEAST_BATCH = 64


class DoesNotFit(ModelFileError):
    """llama.cpp gave no model, no context or no first token; with less on the GPUs it may."""


class Loaded(Protocol):
    """A model or a context that was loaded."""

    def close(self) -> None:
        """Free what it holds."""


M = TypeVar("M", bound=Loaded)
C_co = TypeVar("C_co", bound=Loaded, covariant=True)


class Backend(Protocol[M, C_co]):
    """What loads models; `EngineSettings.gpu_layers` is a number here, and the most is `layers`."""

    #: Layers of the model that a GPU can hold, the output's included.
    layers: int
    #: True when a GPU can be used now.
    offload: bool
    #: The kind of GPU that llama.cpp was built for, empty when it was built for CPUs only.
    accelerator: str

    def model(self, settings: EngineSettings) -> M:
        """Load the weights; DoesNotFit when llama.cpp gives none."""

    def context(self, model: M, settings: EngineSettings) -> C_co:
        """Make a context and compute its first token; DoesNotFit when either fails."""


def load(backend: Backend[M, C_co], wanted: EngineSettings) -> tuple[M, C_co, EngineSettings]:
    """Load what is wanted or the most of it that fits; give it with the settings in effect, else DoesNotFit."""
    if backend.accelerator and not backend.offload:
        log.warning("llama.cpp was built for %s, but no GPU can be used: on the CPU", backend.accelerator)
    layers = offloaded(wanted.gpu_layers, backend.layers, offload=backend.offload)
    settings = wanted = replace(wanted, gpu_layers=layers)
    while True:
        model = None
        try:
            model = backend.model(settings)
            context, settings = _context(backend, model, settings)
        except DoesNotFit as refusal:
            if model is not None:
                model.close()
            settings = _or_raise(fewer_layers(settings, wanted.batch), settings, refusal)
        else:
            if settings != wanted:
                log.warning("not all of it fits: runs with %s instead of %s", _said(settings), _said(wanted))
            return model, context, settings


def offloaded(asked: int | None, layers: int, *, offload: bool) -> int:
    """Give the layers to put on GPUs: what is asked, None for all, never more than there are."""
    if not offload:
        return 0
    return layers if asked is None else min(asked, layers)


def smaller_batch(tried: EngineSettings) -> EngineSettings | None:
    """Give the settings with half of the batch, None when that helps no more or no slot could be left out."""
    batch = tried.batch // 2
    # Without a GPU a step is that short already.
    return None if not tried.gpu_layers or batch < max(LEAST_BATCH, tried.slots) else replace(tried, batch=batch)


def fewer_layers(tried: EngineSettings, batch: int) -> EngineSettings | None:
    """Give the settings with half of the layers on GPUs and `batch` once more, None when there are none left."""
    return None if not tried.gpu_layers else replace(tried, gpu_layers=tried.gpu_layers // 2, batch=batch)


def _context(backend: Backend[M, C_co], model: M, settings: EngineSettings) -> tuple[C_co, EngineSettings]:
    while True:
        try:
            return backend.context(model, settings), settings
        except DoesNotFit as refusal:
            settings = _or_raise(smaller_batch(settings), settings, refusal)


def _or_raise(next_: EngineSettings | None, tried: EngineSettings, refusal: DoesNotFit) -> EngineSettings:
    if next_ is None:
        raise refusal
    log.warning("%s failed: %s; trying %s", _said(tried), refusal, _said(next_))
    return next_


def _said(settings: EngineSettings) -> str:
    return f"{settings.gpu_layers} layers on GPUs and a batch of {settings.batch}"
