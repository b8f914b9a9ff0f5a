"""Control vectors: directions for the layers of a model, read out of GGUF files and added up."""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt

from glasnost.engine.gguf import read_gguf
from glasnost.engine.layout import layout_of
from glasnost.engine.settings import ControlVector, EngineSettings
from glasnost.engine.tensors import Tensor
from glasnost.errors import ModelFileError

Floats = npt.NDArray[np.float32]

_DIRECTION = re.compile(r"direction\.(\d{1,4})")
_F32 = 0


def read_steering(settings: EngineSettings) -> Floats | None:
    """Give what is added behind each layer from the second on, None where there are no control vectors.

    llama.cpp counts layers from 0, and has no direction for that one. Raises a ModelFileError that names the file.
    """
    if not settings.control_vectors:
        return None
    layout = layout_of(read_gguf(settings.path))
    total = np.zeros((len(layout.layers) - 1, layout.width), np.float32)
    for vector in settings.control_vectors:
        try:
            _add(vector, total)
        except (ModelFileError, OSError) as error:
            raise ModelFileError(f"--control-vector {vector.path.name} cannot be used: {error}") from error
    return total


def _add(vector: ControlVector, total: Floats) -> None:
    directions = read_gguf(vector.path).tensors
    if not directions:
        raise ModelFileError("it holds no directions")
    with vector.path.open("rb") as file:
        for tensor in directions:
            layer = _layer(tensor, total)
            file.seek(tensor.start)
            values = np.frombuffer(file.read(tensor.size), "<f4")
            if not np.isfinite(values).all():
                raise ModelFileError(f"{tensor.name} holds what is no number")
            total[layer - 1] += values * np.float32(vector.scale)


def _layer(tensor: Tensor, total: Floats) -> int:
    layers, width = total.shape
    name = _DIRECTION.fullmatch(tensor.name)
    if name is None:
        raise ModelFileError(f"its tensor {tensor.name[:64]!r} is no direction of a control vector")
    if not 1 <= int(name[1]) <= layers:
        raise ModelFileError(f"it has a {tensor.name}, and the model's are 1 to {layers}: it was made for another")
    if tensor.kind != _F32 or tensor.size != width * 4:
        raise ModelFileError(f"its {tensor.name} is not of {width} values in F32: it was made for another model")
    return int(name[1])
