"""`scripts/wheel`: what a build for NVIDIA GPUs is told, and under which key a wheel is kept."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import os
import shlex
import shutil
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parent.parent / "scripts"


def script(file, name):
    loader = importlib.machinery.SourceFileLoader(name, str(SCRIPTS / file))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(name, loader))
    sys.modules[name] = module
    loader.exec_module(module)
    return module


@pytest.fixture
def cuda(monkeypatch):
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.delenv("CUDA_ARCHITECTURES", raising=False)
    yield script("cuda.py", "cuda")
    del sys.modules["cuda"]


@pytest.fixture
def wheel(cuda):
    module = script("wheel", "wheel_script")
    assert module.cuda is cuda
    yield module
    del sys.modules["wheel_script"]


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine with nothing on its path, and a function that puts a program there that prints a text."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("CUDA_HOME", str(tmp_path / "nowhere"))

    def add(name, text):
        (folder / name).write_text(f"#!/bin/sh\n/bin/cat <<'END'\n{text}\nEND\n")
        (folder / name).chmod(0o755)

    return add


def kit(cuda, root, *files):
    for file in files:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).touch()
    return cuda.Toolkit(root, (13, 0, 88))


def test_a_wheel_for_the_cpu_is_kept_under_what_it_was_kept_before(wheel, monkeypatch):
    monkeypatch.setattr(wheel, "version", lambda: "0.3.36")
    monkeypatch.setattr(wheel, "cpu_flags", lambda: "avx avx2")
    monkeypatch.setattr(wheel.platform, "libc_ver", lambda: ("glibc", "2.36"))
    monkeypatch.setattr(wheel.platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.delenv("CMAKE_ARGS", raising=False)
    assert wheel.key() == "2852fc640531e1d6"


def test_each_toolkit_and_each_gpu_has_its_own_wheel(cuda, wheel, tmp_path, monkeypatch):
    older = cuda.Toolkit(tmp_path, (12, 8, 93))
    newer = cuda.Toolkit(tmp_path, (13, 0, 88))
    keys = {wheel.key(), wheel.key(*cuda.identity(older, None)), wheel.key(*cuda.identity(newer, None))}
    monkeypatch.setenv("CUDA_ARCHITECTURES", "90")
    keys.add(wheel.key(*cuda.identity(newer, None)))
    assert len(keys) == 4


@pytest.mark.usefixtures("machine")
def test_a_machine_without_nvcc_is_told_what_to_install(cuda):
    with pytest.raises(SystemExit, match="install NVIDIA's CUDA toolkit, or set CUDA_HOME"):
        cuda.toolkit()


def test_the_toolkit_is_the_one_that_nvcc_names_wherever_nvcc_stands(cuda, machine, tmp_path):
    machine("nvcc", f"Cuda compilation tools, release 13.0, V13.0.88\n#$ TOP={tmp_path}/cuda-13.0/bin/..")
    assert cuda.toolkit() == cuda.Toolkit(tmp_path / "cuda-13.0", (13, 0, 88))


def test_an_nvcc_that_says_nothing_is_an_error(cuda, machine):
    machine("nvcc", "hello")
    with pytest.raises(SystemExit, match="does not say which CUDA toolkit"):
        cuda.toolkit()


@pytest.mark.parametrize(
    ("answer", "architectures"),
    [
        ("9.0", "90"),
        ("8.9\n8.6\n8.9", "86;89"),
        ("12.0", "120"),
        ("No devices were found", ""),
    ],
)
def test_it_builds_for_the_gpus_of_this_machine(cuda, machine, answer, architectures):
    machine("nvidia-smi", answer)
    assert cuda.architectures() == architectures


def test_named_architectures_come_first(cuda, machine, monkeypatch):
    machine("nvidia-smi", "9.0")
    monkeypatch.setenv("CUDA_ARCHITECTURES", "86;89")
    assert cuda.architectures() == "86;89"


@pytest.mark.usefixtures("machine")
def test_without_a_gpu_the_wheel_is_for_other_machines(cuda, tmp_path):
    args = cuda.cmake_args(kit(cuda, tmp_path, "lib64/stubs/libcuda.so"), None, tmp_path)
    assert "-DGGML_NATIVE=OFF" in args
    assert "CMAKE_CUDA_ARCHITECTURES" not in args


def test_a_whole_toolkit_is_taken_as_it_is(cuda, tmp_path, monkeypatch):
    monkeypatch.setenv("CUDA_ARCHITECTURES", "90")
    whole = kit(cuda, tmp_path, "include/cublas_v2.h", "lib64/stubs/libcuda.so")
    assert cuda.cublas(whole) is None
    assert shlex.split(cuda.cmake_args(whole, None, tmp_path)) == [
        "-DGGML_CUDA=ON",
        f"-DCUDAToolkit_ROOT={tmp_path}",
        f"-DCMAKE_CUDA_COMPILER={tmp_path}/bin/nvcc",
        "-DCMAKE_CUDA_ARCHITECTURES=90",
        f"-DCMAKE_SHARED_LINKER_FLAGS=-Wl,-rpath,{tmp_path}/lib64",
    ]


@pytest.mark.skipif(shutil.which("cc") is None, reason="links a library")
def test_what_a_toolkit_from_pypi_lacks_is_linked_from_beside_the_wheel(cuda, tmp_path):
    packages = Path(cuda.sysconfig.get_path("platlib"))
    own = cuda.Cublas(packages / "nvidia/cu13/lib/libcublas.so.13", packages / "nvidia/cu13/include")
    args = shlex.split(cuda.cmake_args(kit(cuda, tmp_path / "cuda"), own, tmp_path))
    assert f"-DCUDA_cublas_LIBRARY={own.library}" in args
    assert f"-DCMAKE_CUDA_FLAGS=-I{own.include}" in args
    assert f"-DCUDA_cuda_driver_LIBRARY={tmp_path}/libcuda.so" in args
    places = f"-rpath,{tmp_path}/cuda/lib64,--no-as-needed,-rpath,'$ORIGIN/../../nvidia/cu13/lib'"
    assert f"-DCMAKE_SHARED_LINKER_FLAGS=-Wl,{places}" in args
    assert (tmp_path / "libcuda.so").read_bytes()[:4] == b"\x7fELF"


@pytest.mark.parametrize(("folders", "found"), [(["lib64", "lib"], "lib64"), (["lib"], "lib"), ([], "lib64")])
def test_the_toolkits_own_libraries_are_found_where_it_has_them(cuda, tmp_path, folders, found):
    whole = kit(cuda, tmp_path, "lib64/stubs/libcuda.so" if "lib64" in folders else "targets/stubs/libcuda.so")
    for name in folders:
        (tmp_path / name).mkdir(exist_ok=True)
    assert f"-rpath,{tmp_path}/{found}" in cuda.cmake_args(whole, None, tmp_path)


def test_another_argument_is_an_error(wheel, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["wheel", "--rocm"])
    with pytest.raises(SystemExit, match="usage"):
        wheel.main()


def test_a_kept_wheel_is_not_built_again(cuda, wheel, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["wheel", "--cuda"])
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    whole = kit(cuda, tmp_path / "cuda", "include/cublas_v2.h")
    monkeypatch.setattr(wheel.cuda, "toolkit", lambda: whole)
    kept = tmp_path / "glasnost" / "wheels" / wheel.key(*cuda.identity(whole, None)) / "l.whl"
    kept.parent.mkdir(parents=True)
    kept.touch()
    wheel.main()
    assert capsys.readouterr().out == f"{kept}{os.linesep}"
