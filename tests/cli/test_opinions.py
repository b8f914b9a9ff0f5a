"""What second opinions need of files: the head for the file that is served, and what models say of their family."""

import hashlib

import pytest

from gguf_files import STRING, File, TensorInfo
from glasnost.cli.load import load_config
from glasnost.cli.opinions import check_opinions, load_head
from glasnost.config import parse_config
from glasnost.errors import ConfigError
from heads import SHA256, head_text

QWEN = "1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32"
SEMANTIC = """
upstreams: {near: {kind: local, gguf: m.gguf}, far: {kind: http, base_url: "http://127.0.0.1:9/v1"}}
models: {m: {upstream: near}}
audit: {semantic: {upstream: %s%s}}
"""
JUDGED = """
upstreams: {near: {kind: local, gguf: m.gguf}, far: {kind: http, base_url: "http://127.0.0.1:9/v1", model: phi-4}}
models: {m: {upstream: near}, judge: {upstream: far}}
audit: {judge: {model: judge}}
"""


def head(tmp_path, upstream="near", given="", files=None):
    config = parse_config(SEMANTIC % (upstream, given), "test")
    return load_head(config, "test", tmp_path, files or {})


def refused(*arguments, **named):
    with pytest.raises(ConfigError) as raised:
        head(*arguments, **named)
    (problem,) = raised.value.problems
    assert problem.path == "audit.semantic.head"
    return problem.message


def named(tmp_path, name):
    """Write a GGUF that says nothing but its name, its family being one that many share."""
    path = tmp_path / "m.gguf"
    values = {"general.architecture": (STRING, "llama"), "general.name": (STRING, name)}
    path.write_bytes(File(values, [TensorInfo("t", (32,))]).bytes())
    return path


def test_the_head_of_the_demo_model_ships(tmp_path):
    assert head(tmp_path, files={"near": tmp_path / f"{QWEN}.gguf"}).model == "qwen2.5-coder-0.5b"
    assert head(tmp_path, upstream="far").sha256 == QWEN  # which file a server serves is asked when it is needed


def test_a_file_without_a_head_is_refused_with_those_that_there_are(tmp_path):
    other = tmp_path / "other.gguf"
    other.write_bytes(b"GGUF")
    digest = hashlib.sha256(b"GGUF").hexdigest()
    told = refused(tmp_path, files={"near": other})
    assert digest in told
    assert "qwen2.5-coder-0.5b" in told


def test_a_head_for_another_file_is_refused(tmp_path):
    (tmp_path / "h.json").write_text(head_text())
    told = refused(tmp_path, given=", head: h.json", files={"near": tmp_path / f"{QWEN}.gguf"})
    assert told.startswith(f"is for m, SHA-256 {SHA256}, and the upstream 'near' serves {QWEN}")
    fits = head(tmp_path, given=", head: h.json", files={"near": tmp_path / f"{SHA256}.gguf"})
    assert fits.sha256 == SHA256


@pytest.mark.parametrize("text", [None, "{}", "\ud800"])
def test_a_head_that_cannot_be_read_is_refused(tmp_path, text):
    if text is not None:
        (tmp_path / "h.json").write_bytes(text.encode("utf-8", "surrogatepass"))
    assert "h.json" in refused(tmp_path, given=", head: h.json") or text == "\ud800"


def test_without_a_semantic_tier_no_head_is_needed(tmp_path):
    config = parse_config("upstreams: {a: {kind: scripted, script: s}}\nmodels: {m: {upstream: a}}", "test")
    assert load_head(config, "test", tmp_path, {}) is None
    check_opinions(config, "test", {})


def test_a_local_models_own_name_tells_its_family(tmp_path):
    config = parse_config(JUDGED, "test")
    check_opinions(config, "test", {"near": named(tmp_path, "Qwen2.5 7B Instruct")})
    with pytest.raises(ConfigError, match="are of one family: phi"):
        check_opinions(config, "test", {"near": named(tmp_path, "Phi 3 mini")})
    for path in (named(tmp_path, "Model"), tmp_path / "nowhere.gguf"):
        with pytest.raises(ConfigError, match=r"models\.m\.family: is required"):
            check_opinions(config, "test", {"near": path})


def test_the_rubric_is_read_from_its_file_beside_the_configuration(tmp_path):
    (tmp_path / "rubric.txt").write_text("Be strict.\n")
    file = tmp_path / "glasnost.yaml"
    file.write_text(JUDGED.replace("model: judge}", "model: judge, rubric_file: rubric.txt}"))
    assert load_config(file, host=None, port=None).audit.judge.rubric == "Be strict.\n"
    file.write_text(JUDGED.replace("model: judge}", "model: judge, rubric_file: nowhere.txt}"))
    with pytest.raises(ConfigError, match="cannot be read"):
        load_config(file, host=None, port=None)
