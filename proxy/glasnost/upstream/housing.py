"""The engines of a configuration in the memory of this machine; those that are always loaded must fit together."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from glasnost.config import Config, LocalUpstream
from glasnost.engine.devices import available_ram, space
from glasnost.engine.layout import Layout
from glasnost.engine.plan import Plan, Space, share
from glasnost.engine.sums import refusal
from glasnost.errors import ConfigError, ModelFileError, Problem
from glasnost.upstream.local import LocalEngine, read_layout, wish_of
from glasnost.upstream.room import Room

_SOURCE = "the configuration"


def house(config: Config, files: Mapping[str, Path]) -> dict[str, LocalEngine]:
    """Make the engine of every local upstream; `files` are their GGUFs, by the upstream's name.

    Raises ConfigError when those that are pinned cannot be loaded together, with the sums.
    """
    local = {name: each for name, each in config.upstreams.items() if isinstance(each, LocalUpstream)}
    if not local:
        return {}
    there = space(config.engines.memory or available_ram() // 10 * 9)
    reserved = _reserve({name: each for name, each in local.items() if each.pinned}, files, there)
    room = Room(there)
    for kept in reserved.values():
        room.reserve(kept.space)
    return {name: LocalEngine(name, each, files[name], room, reserved.get(name)) for name, each in local.items()}


def _reserve(pinned: Mapping[str, LocalUpstream], files: Mapping[str, Path], there: Space) -> dict[str, Plan]:
    if not pinned:
        return {}
    layouts = _layouts({name: files[name] for name in pinned})
    plans = share([(layouts[name], wish_of(settings)) for name, settings in pinned.items()], there)
    named = dict(zip(pinned, plans, strict=True))
    why = refusal(named, there)
    if why is not None:
        raise ConfigError(_SOURCE, [Problem("upstreams", why)])
    return named


def _layouts(files: Mapping[str, Path]) -> dict[str, Layout]:
    layouts: dict[str, Layout] = {}
    problems: list[Problem] = []
    for name, path in files.items():
        try:
            layouts[name] = read_layout(path)
        except ModelFileError as error:
            problems.append(Problem(f"upstreams.{name}.gguf", str(error)))
    if problems:
        raise ConfigError(_SOURCE, problems)
    return layouts
