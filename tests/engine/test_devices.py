"""How much room there is: control groups of both versions, and GPUs as a faked NVML tells of them."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from fake_nvml import NVMLError, nvml
from glasnost.engine import devices

GIB = 1 << 30


def write(root: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return root


MEMINFO = {"proc/meminfo": "MemTotal: 9999 kB\nMemFree: 1 kB\nMemAvailable: 4000 kB\n"}


def test_without_control_groups_it_is_what_the_system_has(tmp_path):
    assert devices.available_ram(write(tmp_path, MEMINFO)) == 4_000 << 10


def test_a_limit_of_version_2_counts_with_the_files_that_make_room(tmp_path):
    group = "sys/fs/cgroup/a/b"
    files = {
        **MEMINFO,
        "proc/self/cgroup": "0::/a/b\n",
        f"{group}/memory.max": "max\n",
        f"{group}/memory.current": "100\n",
        "sys/fs/cgroup/a/memory.max": "1000000\n",
        "sys/fs/cgroup/a/memory.current": "600000\n",
        "sys/fs/cgroup/a/memory.stat": "anon 1\ninactive_file 30000\nactive_file 20000\n",
    }
    assert devices.available_ram(write(tmp_path, files)) == 1_000_000 - 600_000 + 50_000


def test_a_limit_of_version_1_counts_too_and_the_mounted_group_stands_for_one_outside(tmp_path):
    group = "sys/fs/cgroup/memory"
    files = {
        **MEMINFO,
        "proc/self/cgroup": "9:cpu,cpuacct:/x\n4:memory:/docker/0123\n0::/\n",
        f"{group}/memory.limit_in_bytes": "500000\n",
        f"{group}/memory.usage_in_bytes": "200000\n",
        f"{group}/memory.stat": "cache 5\ntotal_inactive_file 1000\ntotal_active_file 0\n",
    }
    assert devices.available_ram(write(tmp_path, files)) == 301_000


def test_the_limit_beyond_which_a_group_is_slowed_counts_like_one(tmp_path):
    group = "sys/fs/cgroup"
    files = {
        **MEMINFO,
        "proc/self/cgroup": "0::/\n",
        f"{group}/memory.max": "max\n",
        f"{group}/memory.high": "700000\n",
        f"{group}/memory.current": "300000\n",
        f"{group}/memory.stat": "inactive_file 1000\n",
    }
    assert devices.available_ram(write(tmp_path, files)) == 401_000


def test_a_group_that_is_over_its_limit_leaves_nothing(tmp_path):
    files = {
        "proc/self/cgroup": "0::/\n",
        "sys/fs/cgroup/memory.max": "10\n",
        "sys/fs/cgroup/memory.current": "20\n",
        "sys/fs/cgroup/memory.stat": "",
    }
    assert devices.available_ram(write(tmp_path, files)) == 0


def test_where_nothing_is_told_it_is_what_is_built_in(tmp_path):
    assert devices.available_ram(tmp_path) > 1 << 26


def test_this_machine_has_room():
    assert 1 << 26 < devices.available_ram() < 1 << 45


def test_the_free_memory_of_every_gpu_is_asked(monkeypatch):
    fake = nvml(7 * GIB, 9 * GIB)
    monkeypatch.setitem(sys.modules, "pynvml", fake)
    assert devices.free_vram({}) == (7 * GIB, 9 * GIB)
    assert fake.ended == 1


@pytest.mark.parametrize(
    ("visible", "expected"),
    [
        ("1,0", (2, 1)),
        ("", ()),
        ("-1", ()),
        ("2,7,0", (3,)),
        ("GPU-111-x", (2,)),
        ("GPU-2, 0", (3, 1)),
        ("GPU-9", ()),
    ],
)
def test_it_sees_the_gpus_that_cuda_sees_in_its_order(monkeypatch, visible, expected):
    monkeypatch.setitem(sys.modules, "pynvml", nvml(1, 2, 3))
    assert devices.free_vram({"CUDA_VISIBLE_DEVICES": visible}) == expected


@pytest.mark.parametrize("fake", [None, nvml(1, error=NVMLError("Driver Not Loaded")), nvml(1, error=OSError("no"))])
def test_without_nvml_there_are_no_gpus_and_that_is_told_once(monkeypatch, caplog, fake):
    monkeypatch.setattr(devices, "_told", set())
    monkeypatch.setitem(sys.modules, "pynvml", fake)
    assert (devices.free_vram({}), devices.free_vram({})) == ((), ())
    assert len(caplog.records) == 1


def test_gpus_count_only_where_llama_cpp_was_built_for_them(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "pynvml", nvml(5))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    spec = SimpleNamespace(submodule_search_locations=[str(tmp_path)])
    monkeypatch.setattr(devices, "find_spec", lambda _: spec)
    assert devices.space(7) == (7,)
    write(tmp_path, {"lib/libggml-cuda.so.0": ""})
    assert devices.space(7) == (7, 5)
    monkeypatch.setattr(devices, "find_spec", lambda _: None)
    assert devices.space(7) == (7,)
