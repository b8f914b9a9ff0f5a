"""How LoRA adapters and control vectors are written on a command line."""

from __future__ import annotations

import re
from pathlib import Path

import typer

from glasnost.engine.settings import ControlVector, Lora

LORA = "A LoRA adapter: NAME=FILE, or NAME=FILE:SCALE; 0 applies it only where a request asks. Repeatable."
CONTROL_VECTOR = "A control vector: FILE, or FILE:SCALE; applied to everything. Repeatable."
CONTROL_LAYERS = "Layers that control vectors change, as in 8-20; default: all."


def lora(text: str) -> Lora:
    """Read `NAME=FILE` or `NAME=FILE:SCALE`."""
    name, _, rest = text.partition("=")
    if not name or not rest:
        raise typer.BadParameter(f"lora is NAME=FILE or NAME=FILE:SCALE, not {text!r}")
    return Lora(name, *_scaled("lora", rest))


def control_vector(text: str) -> ControlVector:
    """Read `FILE` or `FILE:SCALE`."""
    return ControlVector(*_scaled("control-vector", text))


def control_layers(text: str) -> tuple[int, int] | None:
    """Read `FIRST-LAST`, nothing for all."""
    if not text:
        return None
    numbers = re.fullmatch(r"([0-9]{1,4})-([0-9]{1,4})", text)
    if numbers is None:
        raise typer.BadParameter(f"control-vector-layers is FIRST-LAST, as in 8-20, not {text!r}")
    return int(numbers[1]), int(numbers[2])


def _scaled(option: str, text: str) -> tuple[Path, float]:
    path, _, scale = text.rpartition(":")
    try:
        found = (Path(path), float(scale)) if path else (Path(text), 1.0)
    except ValueError:
        found = (Path(text), 1.0)
    if not found[0].is_file():
        raise typer.BadParameter(f"{option}: there is no file {found[0]}")
    return found
