"""`glasnost key`: keys are made, listed and revoked in a file that a server reads."""

import hashlib
import re
import stat

import pytest
from typer.testing import CliRunner

from glasnost.cli.keys import read_keys, with_keys
from glasnost.cli.main import app
from glasnost.config import parse_config
from glasnost.errors import ConfigError

CONFIG = "upstreams: {a: {kind: scripted, script: a.yaml}}\nmodels: {asked: {upstream: a}}\n"


def run(*arguments, code=0):
    result = CliRunner().invoke(app, ["key", *map(str, arguments)])
    assert result.exit_code == code, result.output
    return result.output


def made(output):
    return re.search(r"^key:  (\S+)$", output, re.MULTILINE)[1]


def test_a_key_is_shown_once_and_only_its_hash_is_kept(tmp_path):
    file = tmp_path / "keys.yaml"
    key = made(run("create", "ci", "--file", file, "--scope", "chat", "--requests-per-minute", 60, "--model", "asked"))
    kept = read_keys(file).keys[0]
    assert kept.hash == f"sha256:{hashlib.sha256(key.encode()).hexdigest()}"
    assert (kept.name, kept.scopes, kept.models, kept.limits.requests_per_minute) == ("ci", ("chat",), ("asked",), 60)
    assert key not in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    listed = run("list", "--file", file)
    assert "ci" in listed
    assert "requests_per_minute=60" in listed
    assert kept.hash.partition(":")[2] not in listed


def test_a_revoked_key_is_gone_and_the_others_stay(tmp_path):
    file = tmp_path / "keys.yaml"
    for name in ("one", "two"):
        run("create", name, "--file", file)
    run("revoke", "one", "--file", file)
    assert [key.name for key in read_keys(file).keys] == ["two"]
    assert "no key named 'one'; there are: two" in run("revoke", "one", "--file", file, code=1)


def test_a_pepper_goes_into_the_hash(tmp_path, monkeypatch):
    monkeypatch.setenv("PEPPER", "p")
    file = tmp_path / "keys.yaml"
    run("create", "ci", "--file", file, "--pepper-env", "PEPPER")
    assert read_keys(file).keys[0].hash.startswith("hmac-sha256:")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("create", "a b"), "name"),
        (("create", "ci", "--scope", "root"), "scopes"),
        (("create", "ci", "--tokens-per-day", "0"), "tokens_per_day"),
        (("create", "ci", "--pepper-env", "NOT_SET_ANYWHERE"), "NOT_SET_ANYWHERE is not set"),
        (("list", "--file", "nowhere.yaml"), "cannot be read"),
    ],
    ids=["a name with a blank", "an unknown scope", "no tokens at all", "no pepper", "no file"],
)
def test_what_is_wrong_is_said_by_name(arguments, words):
    assert words in run(*arguments, code=1)


def test_a_name_is_taken_once(tmp_path):
    file = tmp_path / "keys.yaml"
    run("create", "ci", "--file", file)
    assert "already" in run("create", "ci", "--file", file, code=1)


def test_a_file_that_cannot_be_written_is_said_and_left_as_it_was(tmp_path):
    file = tmp_path / "keys.yaml"
    file.mkdir()
    assert "cannot be" in run("create", "ci", "--file", file, code=1)


def test_a_server_takes_the_keys_of_the_file_beside_its_own(tmp_path):
    run("create", "ci", "--file", tmp_path / "keys.yaml")
    config = parse_config(CONFIG + "server: {keys_file: keys.yaml}\n", "c")
    keys = with_keys(config, "c", tmp_path, {}).server.keys
    assert [key.name for key in keys] == ["ci"]


@pytest.mark.parametrize(
    ("server", "environ", "words"),
    [
        (f"keys: ['hmac-sha256:{'0' * 64}']", {}, "was not made without one as its pepper"),
        (f"pepper_env: P, keys: ['sha256:{'0' * 64}']", {"P": "p"}, "was not made with P as its pepper"),
        ("pepper_env: P", {}, "the environment variable P is not set"),
        (f"keys: [{{hash: 'sha256:{'0' * 64}', models: [other]}}]", {}, "there is no model 'other'; there are: asked"),
        (f"keys: ['sha256:{'0' * 64}', 'sha256:{'0' * 64}']", {}, "2 keys are named '000000000000'"),
        ("keys_file: nowhere.yaml", {}, "cannot be read"),
    ],
    ids=["a pepper too many", "a pepper too few", "no pepper", "an unknown model", "a key twice", "no file"],
)
def test_keys_that_cannot_work_are_told_at_the_start(tmp_path, server, environ, words):
    config = parse_config(CONFIG + f"server: {{{server}}}\n", "c")
    with pytest.raises(ConfigError, match=re.escape(words)):
        with_keys(config, "c", tmp_path, environ)


def test_limits_in_redis_need_its_address(tmp_path):
    config = parse_config(CONFIG + "limits: {redis_url_env: R}\n", "c")
    with pytest.raises(ConfigError, match="the environment variable R is not set"):
        with_keys(config, "c", tmp_path, {})


def test_a_file_that_is_wrong_says_where(tmp_path):
    (tmp_path / "keys.yaml").write_text("keys:\n  - {hash: abc}\n")
    with pytest.raises(ConfigError, match=r"keys\[0\].hash \(line 2\)"):
        read_keys(tmp_path / "keys.yaml")
    (tmp_path / "keys.yaml").write_text("keys: &a []\nkeys: []\n")
    with pytest.raises(ConfigError, match="line"):
        read_keys(tmp_path / "keys.yaml")
