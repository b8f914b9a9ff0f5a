"""From `auto` to numbers on a machine with GPUs, as a faked NVML tells of them, and on to a faked backend."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from fake_nvml import nvml
from gguf_files import tiny
from glasnost.engine import devices
from glasnost.engine.loading import DoesNotFit, load
from glasnost.engine.settings import EngineSettings
from glasnost.engine.settle import settle
from glasnost.errors import ModelFileError

MIB = 1 << 20
GIB = 1 << 30
#: Of the tiny model, its only layer and its output.
WHOLE = 2


class Thing:
    def close(self) -> None:
        pass


class Cards:
    """A backend that takes a step of so many tokens where there are layers on GPUs, and notes what was tried."""

    layers, offload, accelerator = WHOLE, True, "CUDA"

    def __init__(self, batch: int) -> None:
        self.batch = batch
        self.tried: list[tuple[int | None, int, tuple[float, ...]]] = []

    def model(self, _: EngineSettings) -> Thing:
        return Thing()

    def context(self, _: Thing, settings: EngineSettings) -> Thing:
        self.tried.append((settings.gpu_layers, settings.batch, settings.tensor_split))
        if settings.gpu_layers and settings.batch > self.batch:
            raise DoesNotFit("failed to allocate compute buffers")
        return Thing()


@pytest.fixture
def machine(monkeypatch):
    """Give a function that makes this a machine with so much RAM and with GPUs of so many free bytes."""

    def make(*gpus: int, ram: int = 64 * GIB) -> None:
        monkeypatch.setattr(devices, "offloads", lambda: True)
        monkeypatch.setattr(devices, "available_ram", lambda: ram)
        monkeypatch.setitem(sys.modules, "pynvml", nvml(*gpus))
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)

    return make


@pytest.fixture
def path(tmp_path) -> Path:
    return tiny().write(tmp_path / "tiny.gguf")


def settled(path: Path) -> EngineSettings:
    return settle(EngineSettings(path=path, name="m"), context=True, slots=True)


def test_one_gpu_takes_all_layers_and_more_slots(machine, path):
    machine(8 * GIB)
    chosen = settled(path)
    assert (chosen.gpu_layers, chosen.tensor_split, chosen.slots) == (WHOLE, (2.0,), 16)
    assert chosen.context == 16 * 512, "what 16 conversations of the trained length take"


def test_a_full_gpu_takes_nothing_and_the_next_one_does(machine, path):
    machine(100 * MIB, 8 * GIB)
    assert settled(path).tensor_split == (0.0, 2.0)


def test_two_gpus_share_what_one_cannot_hold(machine, path):
    driver, step, layer, output = 512 * MIB, 99_584, 53_504, 41_088
    wanted = {"context": 256, "slots": 1, "batch": 64}
    for short, split in ((0, (2.0, 0.0)), (1, (1.0, 1.0)), (output + 1, (0.0, 2.0))):
        machine(driver + step + layer + output - short, 8 * GIB)
        chosen = settle(EngineSettings(path=path, name="m", **wanted), context=False, slots=False)
        assert (chosen.gpu_layers, chosen.tensor_split) == (WHOLE, split)


def test_without_room_on_any_gpu_it_runs_in_ram(machine, path):
    machine(100 * MIB, 100 * MIB)
    chosen = settled(path)
    assert (chosen.gpu_layers, chosen.tensor_split) == (0, ())


def test_what_is_asked_for_in_numbers_stays(machine, path):
    machine(8 * GIB, 8 * GIB)
    wanted = EngineSettings(path=path, name="m", gpu_layers=1, tensor_split=(0.0, 1.0))
    assert settle(wanted, context=False, slots=False) == wanted


def test_a_machine_without_gpus_needs_no_plan_for_numbers(monkeypatch, tmp_path):
    monkeypatch.setattr(devices, "offloads", lambda: False)
    wanted = EngineSettings(path=tmp_path / "none.gguf", name="m")
    assert settle(wanted, context=False, slots=False) is wanted


def test_what_cannot_fit_is_refused_with_the_sums_before_anything_is_loaded(machine, path):
    machine(ram=50 * MIB)
    with pytest.raises(ModelFileError, match=r"tiny.gguf does not fit: weights 1 \+ KV 1 .* MiB are missing"):
        settled(path)


def test_what_is_planned_is_loaded_and_backs_off_from_there(machine, path, caplog):
    machine(8 * GIB, 8 * GIB)
    cards = Cards(batch=256)
    _, _, effective = load(cards, settled(path))
    assert cards.tried == [(2, 512, (2.0, 0.0)), (2, 256, (2.0, 0.0))]
    assert (effective.gpu_layers, effective.batch) == (2, 256)
    assert "runs with 2 layers on GPUs and a batch of 256 instead of 2 layers on GPUs and a batch of 512" in caplog.text


def test_a_plan_that_no_gpu_keeps_ends_on_the_cpu(machine, path, caplog):
    machine(8 * GIB)
    cards = Cards(batch=0)
    _, _, effective = load(cards, settled(path))
    assert [layers for layers, _, _ in cards.tried] == [2, 2, 2, 2, 1, 1, 1, 1, 0]
    assert (effective.gpu_layers, effective.batch) == (0, 512)
    assert "runs with 0 layers on GPUs" in caplog.text
