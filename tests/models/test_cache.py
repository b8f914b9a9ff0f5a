from __future__ import annotations

import os
from pathlib import Path

import pytest

from glasnost.errors import ModelFileError
from glasnost.models.cache import Cache, cache_folder
from glasnost.models.resolve import resolve
from pulling import content, files_in, model_of

DATA = content(5000)
MODEL = model_of(DATA)


@pytest.fixture
def cache(tmp_path):
    (tmp_path / f"{MODEL.sha256}.gguf").write_bytes(DATA)
    return Cache(tmp_path)


def find(cache, *, verify=False):
    return cache.find(MODEL.sha256, size=MODEL.size, verify=verify)


def overwrite(path: Path, data: bytes, *, keep_time: bool) -> None:
    times = path.stat()
    path.write_bytes(data)
    if keep_time:
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    else:
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns + 1))


def test_the_folder_follows_the_environment():
    assert cache_folder({"XDG_CACHE_HOME": "/x"}) == Path("/x/glasnost/models")
    assert cache_folder({"XDG_CACHE_HOME": ""}) == Path.home() / ".cache/glasnost/models"
    assert cache_folder({}) == Path.home() / ".cache/glasnost/models"


def test_a_file_without_a_mark_is_hashed_and_marked(cache):
    assert find(cache) == cache.path(MODEL.sha256)
    assert files_in(cache.folder) == [f"{MODEL.sha256}.gguf", f"{MODEL.sha256}.verified"]


def test_a_marked_file_is_not_read_again(cache):
    find(cache)
    overwrite(cache.path(MODEL.sha256), content(5000, seed=2), keep_time=True)
    assert find(cache) is not None


def test_verify_reads_a_marked_file_again_and_takes_the_mark_from_a_wrong_one(cache):
    find(cache)
    overwrite(cache.path(MODEL.sha256), content(5000, seed=2), keep_time=True)
    assert find(cache, verify=True) is None
    assert find(cache) is None


def test_a_file_that_changed_since_it_was_marked_is_hashed_again(cache):
    find(cache)
    overwrite(cache.path(MODEL.sha256), content(5000, seed=2), keep_time=False)
    assert find(cache) is None


def test_a_file_of_another_size_is_not_the_model(cache):
    overwrite(cache.path(MODEL.sha256), DATA[:-1], keep_time=True)
    assert find(cache) is None


def test_a_broken_mark_only_costs_time(cache):
    find(cache)
    (cache.folder / f"{MODEL.sha256}.verified").write_text("{")
    assert find(cache) is not None


def test_resolve_gives_a_cached_model(cache):
    assert resolve("tiny", cache.folder, catalogue={"tiny": MODEL}) == cache.path(MODEL.sha256)


def test_resolve_names_the_command_that_fetches_what_is_missing(tmp_path):
    with pytest.raises(ModelFileError, match="run: glasnost pull smollm2-135m"):
        resolve("smollm2-135m", tmp_path)
    with pytest.raises(ModelFileError, match=r"run: glasnost pull hf:o/r/f\.gguf"):
        resolve("hf:o/r/f.gguf", tmp_path)


def test_resolve_gives_a_path_that_exists_and_no_other(tmp_path):
    (tmp_path / "my.gguf").touch()
    assert resolve(str(tmp_path / "my.gguf"), tmp_path) == tmp_path / "my.gguf"
    with pytest.raises(ModelFileError, match="there is no file"):
        resolve(str(tmp_path / "other.gguf"), tmp_path)
