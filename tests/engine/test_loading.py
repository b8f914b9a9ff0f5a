"""What is tried when a model does not fit, on a backend that refuses more than it is given room for."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine_process import run_engine
from glasnost.engine.llama import Context, LlamaCpp, Model
from glasnost.engine.llama.backend import accelerator
from glasnost.engine.loading import DoesNotFit, load, offloaded
from glasnost.engine.settings import EngineSettings
from glasnost.errors import ModelFileError


class Thing:
    """A model or a context: the settings that it was made with, and whether it was freed."""

    def __init__(self, settings):
        self.settings = settings
        self.closed = False

    def close(self):
        self.closed = True


class Card:
    """A GPU with room for so many layers, and beside some layers for a step of so many tokens."""

    def __init__(self, most, batches=None, *, layers=32, offload=True, accelerator="CUDA"):
        self.layers, self.offload, self.accelerator = layers, offload, accelerator
        self.most = most
        self.batches = batches or (lambda layers: 512)  # noqa: ARG005
        self.tried = []
        self.models = []

    def model(self, settings):
        self.tried.append(settings.gpu_layers)
        if settings.gpu_layers > self.most:
            raise DoesNotFit("unable to allocate CUDA0 buffer")
        self.models.append(Thing(settings))
        return self.models[-1]

    def context(self, model, settings):
        assert not model.closed
        assert model.settings.gpu_layers == settings.gpu_layers
        self.tried.append((settings.gpu_layers, settings.batch))
        if settings.batch > self.batches(settings.gpu_layers):
            raise DoesNotFit("failed to allocate compute pp buffers")
        return Thing(settings)


def settings(path=Path("m.gguf"), **changed):
    return EngineSettings(path=path, name="m", **changed)


def test_all_that_fits_is_loaded_at_once(caplog):
    card = Card(32)
    model, context, effective = load(card, settings())
    assert card.tried == [32, (32, 512)]
    assert (effective.gpu_layers, effective.batch) == (32, 512)
    assert model.settings == context.settings == effective
    assert not caplog.records


def test_weights_that_do_not_fit_are_tried_with_half_of_the_layers(caplog):
    card = Card(10)
    _, _, effective = load(card, settings())
    assert card.tried == [32, 16, 8, (8, 512)]
    assert (effective.gpu_layers, effective.batch) == (8, 512)
    assert "32 layers on GPUs and a batch of 512 failed: unable to allocate CUDA0 buffer; trying 16" in caplog.text
    assert "runs with 8 layers on GPUs and a batch of 512 instead of 32" in caplog.text


def test_a_context_that_does_not_fit_is_tried_with_half_of_the_batch():
    card = Card(32, lambda _: 128)
    _, _, effective = load(card, settings())
    assert card.tried == [32, (32, 512), (32, 256), (32, 128)]
    assert (effective.gpu_layers, effective.batch) == (32, 128)
    assert len(card.models) == 1, "weights that fit are not loaded again"


def test_layers_go_once_the_batch_is_as_small_as_is_of_use_and_the_batch_comes_back():
    card = Card(32, lambda layers: 512 if layers <= 16 else 8)
    model, _, effective = load(card, settings())
    assert card.tried == [32, (32, 512), (32, 256), (32, 128), (32, 64), 16, (16, 512)]
    assert (effective.gpu_layers, effective.batch) == (16, 512)
    assert [each.closed for each in card.models] == [True, False]
    assert not model.closed


def test_a_batch_has_room_for_every_slot():
    card = Card(32, lambda layers: 512 if layers == 0 else 8, layers=1)
    _, _, effective = load(card, settings(slots=200))
    assert card.tried == [1, (1, 512), (1, 256), 0, (0, 512)]
    assert effective.gpu_layers == 0


def test_what_does_not_fit_anywhere_is_the_error_of_the_last_try():
    card = Card(32, lambda _: 0, layers=2)
    with pytest.raises(DoesNotFit, match="compute pp buffers"):
        load(card, settings(batch=64))
    assert card.tried == [2, (2, 64), 1, (1, 64), 0, (0, 64)]
    assert all(model.closed for model in card.models)


def test_a_file_that_is_no_model_is_tried_once():
    class Broken(Card):
        def model(self, settings):
            super().model(settings)
            raise ModelFileError("m.gguf is not a GGUF file")

    card = Broken(32)
    with pytest.raises(ModelFileError, match="not a GGUF"):
        load(card, settings())
    assert card.tried == [32]


@pytest.mark.parametrize("asked", [None, 0, 20])
def test_a_build_for_cpus_never_offloads_and_never_backs_off(asked, caplog):
    card = Card(32, lambda _: 0, offload=False, accelerator="")
    with pytest.raises(DoesNotFit):
        load(card, settings(gpu_layers=asked))
    assert card.tried == [0, (0, 512)]
    assert not caplog.records


def test_a_build_for_gpus_without_one_runs_on_the_cpu_and_says_so_once(caplog):
    caplog.set_level(logging.INFO)
    card = Card(32, offload=False)
    _, _, effective = load(card, settings(gpu_layers=20))
    assert effective.gpu_layers == 0
    [record] = caplog.records
    assert record.levelname == "WARNING"
    assert "built for CUDA, but no GPU can be used" in record.getMessage()


@pytest.mark.parametrize(
    ("asked", "offload", "layers"), [(None, True, 33), (40, True, 33), (5, True, 5), (0, True, 0), (None, False, 0)]
)
def test_auto_is_all_layers_and_no_more_than_there_are(asked, offload, layers):
    assert offloaded(asked, 33, offload=offload) == layers


def test_what_else_is_asked_for_stays_while_less_is_tried():
    wanted = settings(tensor_split=(3.0, 1.0), context=4096, kv_type="q8_0")
    _, _, effective = load(Card(10), wanted)
    assert (effective.tensor_split, effective.context, effective.kv_type) == ((3.0, 1.0), 4096, "q8_0")


def test_a_build_for_gpus_on_a_machine_without_a_driver_says_what_is_missing(tmp_path):
    package = tmp_path / "llama_cpp"
    package.mkdir()
    # What llama-cpp-python raises then.
    why = "Failed to load shared library 'libllama.so': libcuda.so.1: cannot open shared object file"
    (package / "__init__.py").write_text(f'raise RuntimeError("{why}")\n')
    (tmp_path / "m.gguf").write_bytes(b"GGUF")
    done = subprocess.run(
        [sys.executable, "-m", "glasnost", "engine", str(tmp_path / "m.gguf")],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 1
    assert "libcuda.so.1: cannot open shared object file" in done.stderr
    assert "needs their driver" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("system_info", "kind"),
    [
        (b"CPU : SSE3 = 1 | AVX2 = 1 | OPENMP = 1 | ", ""),
        (b"CUDA : ARCHS = 900 | USE_GRAPHS = 1 | CPU : SSE3 = 1 | AVX2 = 1 | ", "CUDA"),
        (b"CPU : SSE3 = 1 | CUDA : ARCHS = 860,890 | ", "CUDA"),
        (b"", ""),
    ],
)
def test_llama_cpp_tells_what_it_was_built_for(system_info, kind):
    assert accelerator(system_info.decode()) == kind


@pytest.fixture
def small(smollm_path):
    model = Model(settings(path=smollm_path))
    yield model
    model.close()


@pytest.mark.model
def test_a_first_step_that_fails_does_not_fit(small, smollm_path, monkeypatch):
    monkeypatch.setattr(Context, "decode", lambda *_: -2)
    with pytest.raises(DoesNotFit, match="status -2"):
        LlamaCpp(31).context(small, settings(path=smollm_path, context=512))


@pytest.mark.model
def test_the_first_step_on_a_gpu_is_the_longest_there_is(small, smollm_path, monkeypatch):
    monkeypatch.setattr("glasnost.engine.llama.context.gpu_layers", lambda _: 31)
    computed = []
    decode = Context.decode
    monkeypatch.setattr(Context, "decode", lambda self, spans: computed.append(spans) or decode(self, spans))
    LlamaCpp(31).context(small, settings(path=smollm_path, context=512, batch=128)).close()
    [[span]] = computed
    assert len(span.tokens) == 128


@pytest.mark.model
def test_a_build_for_cpus_tells_that_nothing_is_on_a_gpu(smollm_path, tmp_path):
    with run_engine(smollm_path, tmp_path / "e.sock", "--gpu-layers", "5") as engine, engine.client() as client:
        for path in ("/readyz", "/props"):
            facts = client.get(path).json()
            assert facts["gpu_layers"] == 0
            assert 1 <= facts["batch"] <= 512
