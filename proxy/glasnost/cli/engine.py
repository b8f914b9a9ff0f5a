"""`glasnost engine`: serve one GGUF in this process."""

from __future__ import annotations

import os
import typing
from pathlib import Path
from typing import Annotated

import typer

from glasnost.cli import adapters
from glasnost.cli.logs import set_up
from glasnost.engine.settings import EngineSettings, FlashAttention, KvType, available_cores
from glasnost.engine.settle import settle
from glasnost.errors import ModelFileError
from glasnost.record.redactor import Redactor


def engine(  # noqa: PLR0913 - one argument an option
    gguf: Annotated[Path, typer.Argument(help="The model's file.", exists=True, dir_okay=False)],
    *,
    name: Annotated[str | None, typer.Option(help="Name that clients ask for; default: the file's.")] = None,
    slots: Annotated[str, typer.Option(help="Sequences that are computed together: auto, or a number.")] = "4",
    ctx: Annotated[
        str, typer.Option(help="Tokens that all slots share: auto, as many as fit; 0, what the model was trained with.")
    ] = "8192",
    queue: Annotated[int, typer.Option(help="Sequences that may wait for a slot.")] = 64,
    batch: Annotated[int, typer.Option(help="Most tokens of one step.")] = 512,
    threads: Annotated[str, typer.Option(help="Threads that compute: auto, or a number.")] = "auto",
    gpu_layers: Annotated[str, typer.Option(help="Layers on the GPU: auto, or a number.")] = "auto",
    tensor_split: Annotated[str, typer.Option(help="Shares of the GPUs, as in 3,1.")] = "",
    kv_type: Annotated[str, typer.Option(help=f"Type of the KV cache: {', '.join(typing.get_args(KvType))}.")] = "f16",
    flash_attention: Annotated[str, typer.Option(help="auto, on or off.")] = "auto",
    lora: Annotated[list[str] | None, typer.Option(help=adapters.LORA)] = None,
    control_vector: Annotated[list[str] | None, typer.Option(help=adapters.CONTROL_VECTOR)] = None,
    control_vector_layers: Annotated[str, typer.Option(help=adapters.CONTROL_LAYERS)] = "",
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=0, max=65535)] = 9000,
    uds: Annotated[Path | None, typer.Option(help="Unix socket to listen on instead.")] = None,
    parent: Annotated[int | None, typer.Option(help="Process id of the parent to end with.")] = None,
    log_level: Annotated[str, typer.Option(help="debug shows what llama.cpp says.")] = "info",
) -> None:
    """Serve one GGUF over the OpenAI API; GLASNOST_ENGINE_KEY, if set, is the key that clients must send."""
    chosen_slots, context = _number("slots", slots), _number("ctx", ctx)
    settings = EngineSettings(
        path=gguf,
        name=name or gguf.stem,
        slots=1 if chosen_slots is None else chosen_slots,
        context=0 if context is None else context,
        queue=queue,
        batch=batch,
        threads=_number("threads", threads) or available_cores(),
        gpu_layers=_number("gpu-layers", gpu_layers),
        tensor_split=_shares(tensor_split),
        kv_type=_one_of("kv-type", kv_type, KvType),
        flash_attention=_one_of("flash-attention", flash_attention, FlashAttention),
        loras=tuple(map(adapters.lora, lora or ())),
        control_vectors=tuple(map(adapters.control_vector, control_vector or ())),
        control_layers=adapters.control_layers(control_vector_layers),
        host=host,
        port=port,
        uds=uds,
        parent=parent,
        api_key=os.environ.get("GLASNOST_ENGINE_KEY") or None,
    )
    for problem in settings.problems():
        typer.echo(f"glasnost engine: {problem}", err=True)
    if settings.problems():
        raise typer.Exit(2)
    set_up(log_level, Redactor([settings.api_key or ""]))
    raise typer.Exit(_run(settings, auto_context=context is None, auto_slots=chosen_slots is None))


def _run(settings: EngineSettings, *, auto_context: bool, auto_slots: bool) -> int:
    try:
        # Imported here: llama.cpp is an extra, and takes half a second to load.
        from glasnost.engine.serve import run  # noqa: PLC0415
    except ModuleNotFoundError as error:
        typer.echo(f"glasnost engine: {error.name} is missing; install glasnost[local]", err=True)
        return 1
    except ImportError as error:
        typer.echo(f"glasnost engine: {error}", err=True)
        return 1
    try:
        return run(settle(settings, context=auto_context, slots=auto_slots))
    except (ModelFileError, OSError) as error:
        typer.echo(f"glasnost engine: {error}", err=True)
        return 1


def _number(option: str, text: str) -> int | None:
    if text == "auto":
        return None
    if not (text.isascii() and text.isdigit()):
        raise typer.BadParameter(f"{option} is auto or a number, not {text!r}")
    return int(text)


def _shares(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(share) for share in text.split(",")) if text else ()
    except ValueError:
        raise typer.BadParameter(f"tensor-split is numbers with commas, not {text!r}") from None


def _one_of(option: str, text: str, choices: typing.Any) -> typing.Any:
    known = typing.get_args(choices)
    if text not in known:
        raise typer.BadParameter(f"{option} is one of {', '.join(known)}, not {text!r}")
    return text
