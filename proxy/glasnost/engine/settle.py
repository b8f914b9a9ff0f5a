"""From the settings of an engine with `auto` in them to settings in numbers, for the machine that it runs on."""

from __future__ import annotations

from dataclasses import replace

from glasnost.engine.devices import space
from glasnost.engine.gguf import read_gguf
from glasnost.engine.layout import layout_of
from glasnost.engine.plan import Wish, plan
from glasnost.engine.settings import EngineSettings
from glasnost.engine.sums import arithmetic, shortage
from glasnost.errors import ModelFileError


def settle(settings: EngineSettings, *, context: bool, slots: bool) -> EngineSettings:
    """Choose the context, the slots and the layers on GPUs; `context` and `slots` say whether those are `auto`.

    Raises ModelFileError for a file that is not sound, and where there is no room for it.
    """
    room = space()
    if not context and not slots and len(room) == 1:
        return settings
    wish = Wish(
        context=None if context else settings.context,
        slots=None if slots else settings.slots,
        layers=settings.gpu_layers,
        split=settings.tensor_split,
        batch=settings.batch,
        kv_type=settings.kv_type,
        flash=settings.flash_attention != "off",
    )
    chosen = plan(layout_of(read_gguf(settings.path)), wish, room)
    if context and not chosen.fits(room):
        raise ModelFileError(f"{settings.path.name} does not fit: {arithmetic(chosen)}; {shortage(chosen.space, room)}")
    return replace(
        settings,
        context=chosen.context,
        slots=chosen.slots,
        gpu_layers=chosen.layers if chosen.split else settings.gpu_layers,
        tensor_split=tuple(map(float, chosen.split)) if chosen.layers else settings.tensor_split,
    )
