"""What the engine tells of itself: sizes, metadata, template, and the digest of its file."""

from __future__ import annotations

import hashlib
import shutil
import threading

import pytest

from engine_process import run_engine
from glasnost.engine.facts import Fingerprint

KEY = "a key"


def finished(fingerprint):
    fingerprint.start()
    for thread in threading.enumerate():
        if thread.name == "fingerprint":
            thread.join(10)
    return fingerprint.sha256


def test_a_file_is_read_for_its_digest(tmp_path):
    path = tmp_path / "model.gguf"
    path.write_bytes(b"GGUF" * 100_000)
    fingerprint = Fingerprint(path)
    assert fingerprint.sha256 is None
    assert finished(fingerprint) == hashlib.sha256(b"GGUF" * 100_000).hexdigest()


def test_a_name_that_is_a_digest_is_known_at_once(tmp_path):
    digest = "0123456789abcdef" * 4
    assert Fingerprint(tmp_path / f"{digest}.gguf").sha256 == digest


@pytest.mark.parametrize("name", ["0123456789abcdef", "0123456789ABCDEF" * 4, "g" * 64])
def test_other_names_tell_nothing(tmp_path, name):
    assert Fingerprint(tmp_path / f"{name}.gguf").sha256 is None


def test_a_file_that_is_gone_has_no_digest(tmp_path, caplog):
    assert finished(Fingerprint(tmp_path / "gone.gguf")) is None
    assert "gone.gguf" in caplog.text


@pytest.mark.model
def test_props_tell_what_does_not_change(smollm, smollm_path):
    with smollm.client() as client:
        facts = client.get("/props").json()
        assert client.get("/v1/props").json() == facts
    assert facts["model"]["sha256"] == smollm_path.stem
    assert facts["model"]["n_embd"] == 576
    assert 134e6 < facts["model"]["n_params"] < 135e6
    assert facts["metadata"]["general.architecture"] == "llama"
    assert facts["metadata"]["llama.block_count"] == "30"
    assert not any("chat_template" in key or len(value) > 512 for key, value in facts["metadata"].items())
    template = hashlib.sha256(facts["chat_template"].encode()).hexdigest()
    assert template == facts["model"]["template_sha256"]
    assert (facts["bos_token"], facts["eos_token"]) == ("<|im_start|>", "<|im_end|>")
    assert (facts["total_slots"], facts["kv_size"], facts["infill"]) == (8, 4096, False)
    assert facts["build"]["llama_cpp_python"]


@pytest.mark.model
def test_models_have_sizes_that_the_official_client_reads(smollm):
    with smollm.openai() as client:
        [model] = client.models.list().data
    assert (model.id, model.owned_by) == ("m", "glasnost")
    assert model.meta["n_ctx_train"] == 8192
    assert {"n_params", "size", "n_vocab", "n_embd"} <= model.meta.keys()


@pytest.mark.model
def test_a_file_of_any_name_has_its_digest_soon_and_a_key_guards_what_is_told(smollm_path, tmp_path):
    named = tmp_path / "my model.gguf"
    shutil.copyfile(smollm_path, named)
    with run_engine(named, tmp_path / "e.sock", "--ctx", "256", GLASNOST_ENGINE_KEY=KEY) as engine:
        facts = engine.wait_for(lambda facts: facts["model"]["sha256"])
        assert facts["model"]["sha256"] == smollm_path.stem
        with engine.client() as client:
            for path in ("/props", "/v1/models"):
                assert client.get(path).status_code == 401
                assert client.get(path, headers={"authorization": f"Bearer {KEY}"}).status_code == 200
            for path in ("/tokenize", "/detokenize", "/apply-template", "/v1/completions", "/v1/embeddings"):
                assert client.post(path, json={}).status_code == 401
