"""Files of adapters and control vectors that are none for the model: the engine ends with words for its operator."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from typer.testing import CliRunner

from adapter_files import control_vector, lora, tensor
from gguf_files import BOOL, F32, STRING, U32, TensorInfo, array, tiny
from glasnost.cli.main import app
from glasnost.engine.llama.adapting import check_loras
from glasnost.engine.llama.steering import read_steering
from glasnost.engine.settings import ControlVector, EngineSettings, Lora
from glasnost.errors import ModelFileError

RANDOM = np.random.default_rng(0)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return tiny().write(tmp_path_factory.mktemp("tiny") / "tiny.gguf")


def start(model, *options):
    """Start an engine that must not come up; give its status and what it said."""
    command = [sys.executable, "-m", "glasnost", "engine", str(model), "--ctx", "256", "--port", "0", *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stderr + done.stdout


def fits(**changes):
    return lora(1, width=32, layers=1, **changes)


def with_parts(name, a, b, kind=0):
    file = fits()
    file.tensors = [TensorInfo(f"{name}.lora_a", a, kind), TensorInfo(f"{name}.lora_b", b, kind)]
    return file


BAD_LORAS = {
    "magic": (lambda: b"GGML" + fits().bytes()[4:], "not a GGUF"),
    "cut": (lambda: fits().bytes()[:-200], "not complete"),
    "header": (lambda: fits().bytes()[:260], "header"),
    "counts": (lambda: fits().bytes(tensors=1 << 60), "more than there can be"),
    "model": (lambda: tiny().bytes(), "no LoRA adapter"),
    "type": (lambda: fits(adapter__type=(STRING, "ia3")).bytes(), "no LoRA adapter"),
    "type of the type": (lambda: fits(general__type=(U32, 1)).bytes(), "no LoRA adapter"),
    "family": (lambda: fits(general__architecture=(STRING, "qwen2")).bytes(), "family"),
    "alpha": (lambda: fits(adapter__lora__alpha=(F32, float("nan"))).bytes(), "alpha"),
    "alpha of truth": (lambda: fits(adapter__lora__alpha=(BOOL, True)).bytes(), "alpha"),
    "activated": (lambda: fits(adapter__alora__invocation_tokens=array(U32, [1])).bytes(), "activated"),
    "nothing": (lambda: lora(1, width=32, layers=0).bytes(), "no tensors"),
    "half": (lambda: half().bytes(), "missing"),
    "stray": (lambda: stray().bytes(), "no part of an adapter"),
    "layer": (lambda: lora(1, width=32, layers=2).bytes(), "blk.1"),
    "width": (lambda: lora(1, width=64, layers=1).bytes(), "made for another"),
    "rank": (lambda: with_parts("blk.0.attn_q.weight", (32, 4), (8, 32)).bytes(), "made for another"),
    "experts": (lambda: with_parts("blk.0.attn_q.weight", (32, 4, 2), (4, 32, 2)).bytes(), "made for another"),
    "numbers": (lambda: with_parts("blk.0.attn_q.weight", (32, 4), (4, 32), kind=26).bytes(), "F32, F16"),
    "tied table": (lambda: with_parts("token_embd.weight", (4, 320), (4, 32)).bytes(), "output too"),
}


def half():
    file = fits()
    del file.tensors[1]
    return file


def stray():
    file = fits()
    file.tensors.append(TensorInfo("blk.0.attn_q.weight.lora_c", (4,)))
    return file


@pytest.mark.parametrize("name", BAD_LORAS)
def test_a_file_that_is_no_adapter_for_the_model_is_refused_by_its_name(model, tmp_path, name):
    make, word = BAD_LORAS[name]
    path = tmp_path / "bad.gguf"
    path.write_bytes(make())
    with pytest.raises(ModelFileError) as refused:
        check_loras(EngineSettings(model, "m", loras=(Lora("mine", path),)))
    assert str(refused.value).startswith("--lora mine=bad.gguf cannot be used: ")
    assert word in str(refused.value)


def test_the_engine_ends_with_the_name_of_a_file_that_is_no_adapter(model, tmp_path):
    path = tiny().write(tmp_path / "bad.gguf")
    status, said = start(model, "--lora", f"mine={path}")
    assert status == 1
    assert said.startswith("glasnost engine: --lora mine=bad.gguf cannot be used: it is no LoRA adapter")
    assert said.count("\n") == 1


def test_an_adapter_that_fits_is_taken(model, tmp_path):
    weights = with_parts("blk.0.ffn_down.weight", (64, 4), (4, 32))
    weights.tensors.append(TensorInfo("blk.0.attn_norm.weight", (32,)))
    for number, file in enumerate((fits(), weights)):
        path = file.write(tmp_path / f"{number}.gguf")
        check_loras(EngineSettings(model, "m", loras=(Lora("mine", path),)))


BAD_VECTORS = {
    "magic": (lambda: b"nonsense", "not a GGUF"),
    "cut": (lambda: directions(1).bytes()[:-64], "not complete"),
    "nothing": (lambda: directions().bytes(), "no directions"),
    "name": (lambda: named("direction.x").bytes(), "no direction"),
    "layer 0": (lambda: directions(0).bytes(), "direction.0"),
    "layer": (lambda: directions(2).bytes(), "the model's are 1 to 1"),
    "width": (lambda: directions(1, width=64).bytes(), "made for another"),
    "kind": (lambda: named("direction.1", kind=1).bytes(), "F32"),
    "numbers": (lambda: infinite().bytes(), "no number"),
}


def directions(*layers, width=32):
    return control_vector(1, width=width, layers=layers)


def named(name, kind=0):
    file = directions()
    file.tensors = [TensorInfo(name, (32,), kind)]
    return file


def infinite():
    file = directions()
    file.tensors = [tensor("direction.1", (32,), RANDOM, float("inf"))]
    return file


@pytest.mark.parametrize("name", BAD_VECTORS)
def test_a_file_that_is_no_control_vector_for_the_model_is_refused_by_its_name(tmp_path, name):
    make, word = BAD_VECTORS[name]
    path = tmp_path / "bad.gguf"
    path.write_bytes(make())
    with pytest.raises(ModelFileError) as refused:
        read_steering(EngineSettings(two_layers(tmp_path), "m", control_vectors=(ControlVector(path, 0.5),)))
    assert str(refused.value).startswith("--control-vector bad.gguf cannot be used: ")
    assert word in str(refused.value)


def test_the_engine_ends_with_the_name_of_a_file_that_is_no_control_vector(model, tmp_path):
    path = directions(1, width=64).write(tmp_path / "bad.gguf")
    status, said = start(model, "--control-vector", f"{path}:0.5")
    assert status == 1
    assert said.startswith("glasnost engine: --control-vector bad.gguf cannot be used: it has a direction.1")
    assert said.count("\n") == 1


def test_control_vectors_are_added_up_by_layer(tmp_path):
    one, two = (directions(1).write(tmp_path / f"{name}.gguf") for name in ("a", "b"))
    model = two_layers(tmp_path)

    def total(*vectors):
        return read_steering(EngineSettings(model, "m", control_vectors=vectors))

    assert total() is None
    single = total(ControlVector(one))
    assert single.shape == (1, 32)
    assert np.allclose(total(ControlVector(one), ControlVector(two, -3.0)), single * -2, rtol=1e-5)


def two_layers(folder):
    file = tiny(llama__block_count=(U32, 2))
    file.tensors += [
        TensorInfo(each.name.replace("blk.0", "blk.1"), each.shape) for each in file.tensors if "blk.0" in each.name
    ]
    return file.write(folder / "two.gguf")


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (["--lora", "{file}"], "NAME=FILE"),
        (["--lora", "a={file}.not"], "there is no file"),
        (["--lora", "a={file}:much"], "there is no file"),
        (["--lora", "a={file}:nan"], "scale"),
        (["--lora", "a={file}:17"], "from -16 to 16"),
        (["--lora", "a={file}", "--lora", "a={file}:0.5"], "named twice"),
        (["--control-vector", "{file}:-1e9"], "from -16 to 16"),
        (["--control-vector", "{file}", "--control-vector-layers", "8"], "FIRST-LAST"),
        (["--control-vector", "{file}", "--control-vector-layers", "0-8"], "from 1 on"),
        (["--control-vector", "{file}", "--control-vector-layers", "9-8"], "the smaller first"),
        (["--control-vector-layers", "1-8"], "needs a control-vector"),
    ],
)
def test_options_that_cannot_work_are_named(model, tmp_path, options, word):
    path = fits().write(tmp_path / "good.gguf")
    command = ["engine", str(model), "--port", "0", *(option.format(file=path) for option in options)]
    result = CliRunner().invoke(app, command, env={"COLUMNS": "400"})
    assert result.exit_code == 2
    assert word in result.stderr
