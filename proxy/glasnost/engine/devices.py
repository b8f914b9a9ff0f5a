"""How much room this machine has: RAM that this process may still take, and free memory of each GPU.

The only import of pynvml, which the extra `cuda` brings; without it, or without a driver, there are no GPUs.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from glasnost.engine.plan import Space

log = logging.getLogger("glasnost.engine")

_told: set[str] = set()


@dataclass(frozen=True, slots=True)
class Gpu:
    """The memory of a GPU in bytes; what is not free is taken by anybody."""

    free: int
    total: int


def space(ram: int | None = None) -> Space:
    """Give the free bytes of each place: RAM, or what the caller may take of it, then every GPU that is used."""
    return (available_ram() if ram is None else ram, *(free_vram(os.environ) if offloads() else ()))


def available_ram(root: Path = Path("/")) -> int:
    """Give the bytes that this process can take without swapping: what the system has, within its control groups."""
    limits = [*_meminfo(root), *_group_limits(root)]
    return max(0, min(limits)) if limits else os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def offloads() -> bool:
    """Say whether the installed llama.cpp was built with CUDA, without loading it."""
    found = find_spec("llama_cpp")
    folders = [Path(place) / "lib" for place in found.submodule_search_locations or ()] if found else []
    return any(list(folder.glob("libggml-cuda*")) for folder in folders)


def free_vram(environ: Mapping[str, str]) -> tuple[int, ...]:
    """Give the free bytes of every GPU that llama.cpp will see, in its order; none where they cannot be asked."""
    try:
        return tuple(gpu.free for gpu in gpus(environ))
    except OSError as error:
        return _no_gpus(str(error))


def gpus(environ: Mapping[str, str]) -> tuple[Gpu, ...]:
    """Give every GPU that llama.cpp will see, in its order; OSError says why they cannot be asked."""
    try:
        import pynvml  # noqa: PLC0415 - an extra, of use where there is a GPU
    except ImportError:
        raise OSError("nvidia-ml-py is not installed (install glasnost[cuda])") from None
    try:
        pynvml.nvmlInit()
        try:
            handles = [pynvml.nvmlDeviceGetHandleByIndex(index) for index in range(pynvml.nvmlDeviceGetCount())]
            seen = [pynvml.nvmlDeviceGetMemoryInfo(each) for each in _visible(pynvml, handles, environ)]
            return tuple(Gpu(int(memory.free), int(memory.total)) for memory in seen)
        finally:
            pynvml.nvmlShutdown()
    except pynvml.NVMLError as error:
        raise OSError(str(error)) from error


def _visible(pynvml: Any, handles: list[Any], environ: Mapping[str, str]) -> Iterator[Any]:
    """Give the GPUs that CUDA_VISIBLE_DEVICES leaves; like CUDA, nothing after a name that is not known."""
    chosen = environ.get("CUDA_VISIBLE_DEVICES")
    if chosen is None:
        yield from handles
        return
    for name in (part.strip() for part in chosen.split(",")):
        if name.isascii() and name.isdigit():
            found = handles[int(name) : int(name) + 1]
        else:
            found = [each for each in handles if name and _uuid(pynvml, each).startswith(name)]
        if len(found) != 1:
            return
        yield found[0]


def _uuid(pynvml: Any, handle: Any) -> str:
    uuid = pynvml.nvmlDeviceGetUUID(handle)
    return uuid.decode() if isinstance(uuid, bytes) else str(uuid)


def _no_gpus(why: str) -> tuple[int, ...]:
    if why not in _told:
        _told.add(why)
        log.warning("free memory of GPUs is not known: %s", why)
    return ()


def _meminfo(root: Path) -> Iterator[int]:
    with suppress(OSError, ValueError):
        for line in (root / "proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                yield int(line.split()[1]) << 10


def _group_limits(root: Path) -> Iterator[int]:
    """Give what is left in each control group that this process is in, of either version, and in those around it."""
    with suppress(OSError):
        for line in (root / "proc/self/cgroup").read_text().splitlines():
            _, controllers, path = (*line.split(":", 2), "", "")[:3]
            if not controllers:
                for limit in ("memory.max", "memory.high"):  # beyond the second a process is slowed to a crawl
                    yield from _left(root / "sys/fs/cgroup", path, limit, "memory.current", "")
            elif "memory" in controllers.split(","):
                names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_")
                yield from _left(root / "sys/fs/cgroup/memory", path, *names)


def _left(mount: Path, path: str, limit: str, usage: str, prefix: str) -> Iterator[int]:
    # Inside a container the path may be that of the host; its own group is then what is mounted.
    folder = mount / path.lstrip("/")
    for group in (folder, *folder.parents):
        if not group.is_relative_to(mount):
            return
        with suppress(OSError, ValueError):  # no such group, or "max", which is no limit
            most = int((group / limit).read_text())
            yield most - int((group / usage).read_text()) + _cached(group, prefix)


def _cached(group: Path, prefix: str) -> int:
    """Give the bytes of files in memory, which make room by themselves."""
    pairs = (line.split() for line in (group / "memory.stat").read_text().splitlines())
    wanted = (f"{prefix}inactive_file", f"{prefix}active_file")
    return sum(int(value) for name, value in pairs if name in wanted)
