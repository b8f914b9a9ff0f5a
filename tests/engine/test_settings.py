"""Settings of an engine that cannot work are named before anything is loaded."""

from __future__ import annotations

from pathlib import Path

import pytest

from glasnost.engine.settings import EngineSettings


def problems(**settings):
    return EngineSettings(path=Path("m.gguf"), name="m", **settings).problems()


def test_the_defaults_work():
    assert problems() == []


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"slots": 0}, "slots"),
        ({"slots": 257, "batch": 512}, "slots"),
        ({"context": -1}, "ctx"),
        ({"queue": -1}, "queue"),
        ({"threads": 0}, "threads"),
        ({"slots": 8, "batch": 7}, "batch"),
        ({"gpu_layers": -1}, "gpu-layers"),
        ({"tensor_split": (1.0, -1.0)}, "tensor-split"),
        ({"kv_type": "q8_0", "flash_attention": "off"}, "kv-type"),
        ({"host": "0.0.0.0"}, "GLASNOST_ENGINE_KEY"),
    ],
)
def test_each_problem_is_named(settings, word):
    [problem] = problems(**settings)
    assert word in problem


def test_an_open_host_is_fine_with_a_key():
    assert problems(host="0.0.0.0", api_key="k") == []


def test_a_key_is_not_shown():
    assert "secret" not in repr(EngineSettings(path=Path("m.gguf"), name="m", api_key="secret"))
