"""`glasnost serve` as a user starts it: every mistake is told before anything listens."""

import subprocess
import sys
from hashlib import sha256

import httpx
import pytest
from typer.testing import CliRunner

from gateway import GAGGED, OPEN
from glasnost import __version__
from glasnost.cli.load import load_config, load_policy
from glasnost.cli.main import app
from glasnost.config import parse_config
from glasnost.errors import ConfigError, PolicyError
from running import serve

pytestmark = pytest.mark.processes


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "glasnost", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        env=environment,
        check=False,
    )


def test_the_embedded_configuration_is_valid_and_names_the_models_of_the_demo():
    config = load_config(None, host=None, port=None)
    assert list(config.models) == ["qwen2.5-coder-0.5b", "smollm2-135m"]
    assert (config.server.host, config.server.port) == ("127.0.0.1", 8080)
    assert [rung.rung for rung in config.models["qwen2.5-coder-0.5b"].ladder] == ["reframe", "model"]


def test_a_wrong_configuration_prints_every_problem_and_exits_2(tmp_path):
    file = tmp_path / "wrong.yaml"
    file.write_text("server: {prt: 1}\nupstreams: {a: {kind: local}}\nmodels: {m: {upstream: b}}\n")
    result = run("serve", "--config", str(file))
    assert result.returncode == 2
    assert "wrong.yaml: 2 problems" in result.stderr
    assert "server.prt (line 1): is not a known setting" in result.stderr
    assert "upstreams.a.gguf (line 2): is required" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("content", [None, b"\xff\xfe", b""])
def test_a_file_that_cannot_be_read_exits_2_and_says_why(tmp_path, content):
    file = tmp_path / "config.yaml"
    if content is not None:
        file.write_bytes(content)
    result = run("serve", "--config", str(file))
    assert result.returncode == 2
    assert "config.yaml" in result.stderr
    assert "Traceback" not in result.stderr


def test_an_address_for_others_without_keys_refuses_to_start():
    result = run("serve", "--host", "0.0.0.0")
    assert result.returncode == 2
    assert "server.host" in result.stderr
    assert "glasnost key" in result.stderr


def test_a_model_that_was_not_pulled_is_named_with_the_next_step(tmp_path):
    result = run("serve", XDG_CACHE_HOME=str(tmp_path))
    assert result.returncode == 2
    assert "upstreams.qwen.gguf" in result.stderr
    assert "upstreams.smollm.gguf" in result.stderr
    assert "glasnost pull qwen2.5-coder-0.5b" in result.stderr


def test_adapters_that_are_not_there_are_named(tmp_path):
    (tmp_path / "m.gguf").write_bytes(b"GGUF")
    file = tmp_path / "config.yaml"
    file.write_text(
        f"upstreams:\n  a: {{kind: local, gguf: {tmp_path}/m.gguf, lora: {{law: law.gguf}}, "
        "control_vectors: [calm.gguf]}\nmodels: {m: {upstream: a}}\n"
    )
    result = run("serve", "--config", str(file))
    assert result.returncode == 2
    assert "upstreams.a.lora.law: there is no file law.gguf" in result.stderr
    assert "upstreams.a.control_vectors[0]: there is no file calm.gguf" in result.stderr


def test_a_key_that_is_not_in_the_environment_is_named(tmp_path):
    file = tmp_path / "config.yaml"
    file.write_text(
        "upstreams: {a: {kind: http, base_url: 'http://127.0.0.1:9/v1', api_key_env: MY_KEY}}\n"
        "models: {m: {upstream: a}}\n"
    )
    result = run("serve", "--config", str(file))
    assert result.returncode == 2
    assert "upstreams.a.api_key_env: the environment variable MY_KEY is not set" in result.stderr


def test_a_pack_that_does_not_exist_names_those_that_do():
    with pytest.raises(PolicyError) as raised:
        load_policy(("atlantis",))
    assert "prc" in str(raised.value)


def test_a_pack_with_wrong_topics_tells_the_problems_of_all_its_files(tmp_path):
    for name in ("a", "b"):
        (tmp_path / f"{name}.yaml").write_text("schema: glasnost/topic/v1\nid: Bad Id\n")
    with pytest.raises(PolicyError) as raised:
        load_policy((str(tmp_path),))
    text = str(raised.value)
    assert "a.yaml: id (line 2)" in text
    assert "b.yaml: id (line 2)" in text


def test_a_script_that_is_missing_is_a_problem_of_the_configuration(tmp_path):
    file = tmp_path / "config.yaml"
    file.write_text("upstreams: {a: {kind: scripted, script: no.yaml}}\nmodels: {m: {upstream: a}}\n")
    result = run("serve", "--config", str(file))
    assert result.returncode == 2
    assert "no.yaml" in result.stderr


def test_a_configuration_with_scripts_beside_it_serves(tmp_path):
    (tmp_path / "gagged.yaml").write_text(GAGGED)
    (tmp_path / "open.yaml").write_text(OPEN)
    file = tmp_path / "config.yaml"
    file.write_text(
        "upstreams:\n  gagged: {kind: scripted, script: gagged.yaml}\n  open: {kind: scripted, script: open.yaml}\n"
        "models:\n  asked: {upstream: gagged, ladder: [{rung: model, model: other}]}\n  other: {upstream: open}\n"
    )
    with serve("--config", str(file)) as server:
        assert [model.id for model in server.openai().models.list()] == ["asked", "other"]
        assert httpx.get(f"{server.url}/livez").json() == {"live": True}


def test_a_key_and_its_hash_fit_each_other():
    lines = CliRunner().invoke(app, ["key", "create"]).output.split()
    fresh, digest = lines[1], lines[3]
    text = "upstreams: {a: {kind: http, base_url: 'http://h/v1'}}\nmodels: {m: {upstream: a}}\n"
    config = text + f"server: {{host: 0.0.0.0, keys: ['{digest}']}}\n"
    [key] = parse_config(config, "x").server.keys
    assert key.hash == f"sha256:{sha256(fresh.encode()).hexdigest()}"


def test_the_version_is_told():
    assert CliRunner().invoke(app, ["version"]).output.strip() == __version__


def test_a_missing_configuration_is_a_configuration_error(tmp_path):
    with pytest.raises(ConfigError) as raised:
        load_config(tmp_path / "none.yaml", host=None, port=None)
    assert "cannot be read" in str(raised.value)
