"""How llama.cpp is built for NVIDIA GPUs with the CUDA toolkit at hand: what CMake must be told, and what is missing.

Environment: CUDA_HOME names the toolkit where `nvcc` is not on the path, CUDA_ARCHITECTURES the GPUs to build for
(as in `90` or `86;89`) where they are not in this machine.
"""

import importlib.metadata
import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Toolkit:
    """A CUDA toolkit: its folder, and its version as in (13, 0, 88)."""

    root: Path
    version: tuple[int, int, int]


@dataclass(frozen=True)
class Cublas:
    """The library and the folder of headers of a cuBLAS that is no part of the toolkit."""

    library: Path
    include: Path


def toolkit() -> Toolkit:
    """Find the toolkit through its compiler; the one on the path may be a script that calls it."""
    home = os.environ.get("CUDA_HOME", "/usr/local/cuda")
    nvcc = shutil.which("nvcc", path=f"{home}/bin") or shutil.which("nvcc")
    if nvcc is None:
        sys.exit(f"nvcc is neither in {home}/bin nor on the path: install NVIDIA's CUDA toolkit, or set CUDA_HOME")
    release = re.search(r"\bV(\d+)\.(\d+)\.(\d+)", _output(nvcc, "--version"))
    top = re.search(r"^#\$ TOP=(.+)$", _output(nvcc, "--dryrun", "-x", "cu", "/dev/null"), re.MULTILINE)
    if release is None or top is None:
        sys.exit(f"{nvcc} does not say which CUDA toolkit it belongs to")
    return Toolkit(Path(top[1]).resolve(), (int(release[1]), int(release[2]), int(release[3])))


def architectures() -> str:
    """Give the architectures to build for, as CMake lists them; empty when nothing says which."""
    named = os.environ.get("CUDA_ARCHITECTURES", "")
    if named or not shutil.which("nvidia-smi"):
        return named
    answer = _output("nvidia-smi", "--query-gpu=compute_cap", "--format=csv,noheader")
    found = re.findall(r"^(\d+)\.(\d)$", answer, re.MULTILINE)
    return ";".join(sorted({major + minor for major, minor in found}))


def cublas(kit: Toolkit) -> Cublas | None:
    """Give cuBLAS from PyPI, installed beside llama.cpp; None when the toolkit has its own."""
    if any(kit.root.glob("**/cublas_v2.h")) or Path("/usr/include/cublas_v2.h").is_file():
        return None
    major, minor, _ = kit.version
    name = "nvidia-cublas" if major >= 13 else f"nvidia-cublas-cu{major}"
    command = [sys.executable, "-m", "pip", "install", "--quiet", f"{name}=={major}.{minor}.*"]
    if subprocess.run(command, stdout=sys.stderr, check=False).returncode:
        sys.exit(f"the CUDA toolkit in {kit.root} has no cuBLAS, and {name} {major}.{minor} could not be installed")
    paths = {file.name: Path(str(file.locate())) for file in importlib.metadata.files(name) or []}
    return Cublas(paths[f"libcublas.so.{major}"], paths["cublas_v2.h"].parent)


def identity(kit: Toolkit, own_cublas: Cublas | None) -> list[str]:
    """Give what tells one build for CUDA from another: the toolkit, the GPUs, and where cuBLAS is found at run time."""
    beside = "" if own_cublas is None else _beside(own_cublas)
    return ["cuda", str(kit.root), ".".join(map(str, kit.version)), architectures(), beside]


def cmake_args(kit: Toolkit, own_cublas: Cublas | None, scratch: Path) -> str:
    """Give CMake's arguments as CMAKE_ARGS holds them; `scratch` is a folder that lives as long as the build."""
    args = ["-DGGML_CUDA=ON", f"-DCUDAToolkit_ROOT={kit.root}", f"-DCMAKE_CUDA_COMPILER={kit.root}/bin/nvcc"]
    # Without a GPU at hand the wheel is for another machine: llama.cpp then builds for all GPUs that are common, and
    # for CPUs with AVX2.
    named = architectures()
    args.append(f"-DCMAKE_CUDA_ARCHITECTURES={named}" if named else "-DGGML_NATIVE=OFF")
    # CMake takes it for granted that the toolkit's own libraries are found at run time; those from PyPI are in `lib`.
    libraries = next((name for name in ("lib64", "lib") if (kit.root / name).is_dir()), "lib64")
    linker = f"-Wl,-rpath,{kit.root}/{libraries}"
    if not any(kit.root.glob("**/stubs/libcuda.so")):
        args.append(f"-DCUDA_cuda_driver_LIBRARY={_stub(scratch)}")
        linker += ",--no-as-needed"
    if own_cublas is not None:
        args += [f"-DCUDA_cublas_LIBRARY={own_cublas.library}", f"-DCMAKE_CUDA_FLAGS=-I{own_cublas.include}"]
        # In quotes, since the command line of the linker goes through a shell.
        linker += f",-rpath,'$ORIGIN/{_beside(own_cublas)}'"
    args.append(f"-DCMAKE_SHARED_LINKER_FLAGS={linker}")
    return shlex.join(args)


def _stub(scratch: Path) -> Path:
    """Make what a toolkit from PyPI lacks: a driver to link against, which at run time is the machine's own."""
    stub = scratch / "libcuda.so"
    compiler = os.environ.get("CC", "cc")
    command = [*shlex.split(compiler), "-shared", "-Wl,-soname,libcuda.so.1", "-o", str(stub), "-x", "c", os.devnull]
    if shutil.which(command[0]) is None or subprocess.run(command, check=False).returncode:
        sys.exit(f"{compiler} cannot link a library; a C compiler is needed (Debian: apt-get install g++)")
    return stub


def _beside(own_cublas: Cublas) -> str:
    libraries = Path(sysconfig.get_path("platlib")) / "llama_cpp" / "lib"
    return os.path.relpath(own_cublas.library.parent, libraries)


def _output(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr
