"""The engines of a configuration in the memory of one machine: what is refused at the start, and what may wait."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from fake_nvml import nvml
from gguf_files import tiny
from glasnost.config import Config, parse_config
from glasnost.engine import devices
from glasnost.errors import ConfigError
from glasnost.upstream.housing import house

MIB = 1 << 20
GIB = 1 << 30
#: What an engine of the tiny model takes of RAM, rounded up.
ENGINE = 112 * MIB


def config(memory: int | None = None, **upstreams: dict[str, Any]) -> Config:
    local = {"kind": "local", "gguf": "tiny", "ctx": 512, "slots": 1}
    settings: dict[str, Any] = {"upstreams": {name: local | each for name, each in upstreams.items()}}
    settings["models"] = {name: {"upstream": name} for name in upstreams}
    if memory is not None:
        settings["engines"] = {"memory": memory}
    return parse_config(json.dumps(settings), "test")


def files(folder: Path, *names: str) -> dict[str, Path]:
    path = tiny().write(folder / "tiny.gguf")
    return dict.fromkeys(names, path)


def refused(settings: Config, paths: dict[str, Path]) -> str:
    with pytest.raises(ConfigError) as caught:
        house(settings, paths)
    return str(caught.value)


PINNED = {"pinned": True}


def test_pinned_engines_that_fit_are_housed_beside_any_others(tmp_path):
    settings = config(2 * ENGINE, primary=PINNED, judge=PINNED, other={}, another={})
    assert list(house(settings, files(tmp_path, *settings.upstreams))) == ["primary", "judge", "other", "another"]


def test_pinned_engines_that_do_not_fit_together_are_refused_with_each_sum(tmp_path):
    settings = config(5 * ENGINE // 2, primary=PINNED, alternative=PINNED, judge=PINNED)
    message = refused(settings, files(tmp_path, *settings.upstreams))
    for name in ("primary", "alternative", "judge"):
        assert f"\n    {name}: weights 1 + KV 1 + compute 1 + process 111 = " in message
    assert "\n    together " in message
    assert "280 MiB of RAM are free" in message
    assert "MiB are missing\n    lower ctx or slots" in message


def test_only_what_is_pinned_must_fit_together(tmp_path):
    settings = config(3 * ENGINE // 2, primary=PINNED, alternative={}, judge={})
    assert len(house(settings, files(tmp_path, *settings.upstreams))) == 3


def test_a_pinned_file_that_is_not_sound_is_named_at_the_start(tmp_path):
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(tiny().bytes()[:5_000])
    message = refused(config(GIB, a=PINNED, b=PINNED), {"a": broken, "b": broken})
    assert "2 problems" in message
    for name in ("a", "b"):
        assert f"upstreams.{name}.gguf: broken.gguf cannot be loaded: at byte " in message


def test_without_a_limit_it_is_nine_tenths_of_what_is_free(tmp_path, monkeypatch):
    monkeypatch.setattr("glasnost.upstream.housing.available_ram", lambda: ENGINE * 2)
    message = refused(config(a=PINNED, b=PINNED), files(tmp_path, "a", "b"))
    assert f"{-(-(ENGINE * 2 // 10 * 9) >> 20)} MiB of RAM are free" in message


class TestOnGpus:
    """A faked NVML tells of the GPUs."""

    @pytest.fixture(autouse=True)
    def cuda(self, monkeypatch):
        monkeypatch.setattr(devices, "offloads", lambda: True)
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)

    def test_pinned_engines_are_put_on_one_gpu_after_the_other(self, tmp_path, monkeypatch):
        monkeypatch.setitem(sys.modules, "pynvml", nvml(600 * MIB, 600 * MIB))
        settings = config(GIB, a=PINNED, b=PINNED)
        engines = house(settings, files(tmp_path, "a", "b"))
        assert len(engines) == 2

    def test_layers_that_must_be_on_a_gpu_are_refused_with_the_sum_of_that_gpu(self, tmp_path, monkeypatch):
        monkeypatch.setitem(sys.modules, "pynvml", nvml(600 * MIB))
        pinned = PINNED | {"gpu_layers": 2}
        message = refused(config(GIB, a=pinned, b=pinned), files(tmp_path, "a", "b"))
        assert message.count(" + driver 512 = ") == 2
        assert "lower gpu_layers, ctx or slots" in message
        assert "600 MiB of GPU 0 are free, " in message

    def test_layers_on_auto_stay_in_ram_instead(self, tmp_path, monkeypatch):
        monkeypatch.setitem(sys.modules, "pynvml", nvml(600 * MIB))
        assert len(house(config(GIB, a=PINNED, b=PINNED), files(tmp_path, "a", "b"))) == 2
