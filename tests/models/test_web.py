from __future__ import annotations

import hashlib

import pytest

from file_server import Site, serving
from glasnost.errors import ModelFileError
from glasnost.models.pull import pull
from glasnost.models.resolve import resolve
from pulling import content, files_in

DATA = content(3_000_000)
SHA = hashlib.sha256(DATA).hexdigest()


@pytest.fixture
def site():
    with serving(Site(files={"/m.gguf": DATA})) as site:
        yield site


def reference(site: Site, path: str = "/m.gguf", sha256: str = SHA) -> str:
    return f"{site.url}{path}#sha256={sha256}"


def test_a_file_is_fetched_checked_and_kept_under_its_hash(site, tmp_path):
    path = pull(reference(site), tmp_path)
    assert path == tmp_path / f"{SHA}.gguf"
    assert path.read_bytes() == DATA
    assert files_in(tmp_path) == [f"{SHA}.gguf", f"{SHA}.verified"]
    assert resolve(reference(site), tmp_path) == path


def test_a_file_that_is_here_is_not_asked_for_again(site, tmp_path):
    pull(reference(site), tmp_path)
    pull(reference(site), tmp_path)
    assert site.gets("/m.gguf") == [0]


def test_verify_fetches_a_file_again_that_went_bad(site, tmp_path):
    path = pull(reference(site), tmp_path)
    path.write_bytes(content(3_000_000, seed=2))
    assert pull(reference(site), tmp_path, verify=True).read_bytes() == DATA
    assert site.gets("/m.gguf") == [0, 0]


def test_progress_counts_up_to_the_size_of_the_file(site, tmp_path):
    seen = []
    pull(reference(site), tmp_path, lambda step, done=0, total=None: seen.append((step, done, total)))
    assert seen == sorted(seen)
    assert seen[-1] == ("downloading from 127.0.0.1", len(DATA), len(DATA))


def test_a_cut_download_goes_on_where_it_was_cut(site, tmp_path):
    site.cut_after["/m.gguf"] = 1_000_000
    with pytest.raises(ModelFileError, match="run again: glasnost pull"):
        pull(reference(site), tmp_path)
    assert [name for name in files_in(tmp_path) if name.endswith(".gguf")] == []
    assert pull(reference(site), tmp_path).read_bytes() == DATA
    assert site.gets("/m.gguf") == [0, 1_000_000]


def test_a_server_without_ranges_is_read_from_the_start(site, tmp_path):
    site.cut_after["/m.gguf"] = 1_000_000
    site.ranges = False
    with pytest.raises(ModelFileError):
        pull(reference(site), tmp_path)
    assert pull(reference(site), tmp_path).read_bytes() == DATA


def test_another_range_than_the_one_asked_for_is_refused(site, tmp_path):
    site.cut_after["/m.gguf"] = 1_000_000
    site.shift = 7
    with pytest.raises(ModelFileError, match="was cut"):
        pull(reference(site), tmp_path)
    with pytest.raises(ModelFileError, match="sent another range"):
        pull(reference(site), tmp_path)


def test_a_download_that_was_whole_but_not_adopted_needs_no_byte_more(site, tmp_path):
    work = tmp_path / "downloads" / SHA
    work.mkdir(parents=True)
    (work / "web.partial").write_bytes(DATA)
    assert pull(reference(site), tmp_path).read_bytes() == DATA
    assert site.gets("/m.gguf") == [len(DATA)]


def test_a_redirect_is_followed(site, tmp_path):
    site.redirects["/old.gguf"] = f"{site.url}/m.gguf"
    assert pull(reference(site, "/old.gguf"), tmp_path).read_bytes() == DATA


def test_a_redirect_to_an_unencrypted_host_is_not_followed(site, tmp_path):
    site.redirects["/old.gguf"] = "http://example.invalid/m.gguf"
    with pytest.raises(ModelFileError, match=r"leads to http://example\.invalid/m\.gguf, which is not encrypted"):
        pull(reference(site, "/old.gguf"), tmp_path)


def test_an_http_error_is_named(site, tmp_path):
    site.statuses["/m.gguf"] = 403
    with pytest.raises(ModelFileError, match="HTTP status 403"):
        pull(reference(site), tmp_path)


def test_a_path_is_given_back_as_it_is(tmp_path):
    (tmp_path / "my.gguf").write_bytes(b"GGUF")
    assert pull(str(tmp_path / "my.gguf"), tmp_path / "cache") == tmp_path / "my.gguf"
    assert not (tmp_path / "cache").exists()
