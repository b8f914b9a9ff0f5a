"""What a gateway of several processes cannot keep to is refused, with the field and the next step."""

import pytest

from glasnost.cli.keys import with_keys
from glasnost.config import parse_config
from glasnost.errors import ConfigError

SCRIPTED = "upstreams: {a: {kind: scripted, script: a.yaml}}\nmodels: {m: {upstream: a}}\n"
LOCAL = "upstreams: {a: {kind: local, gguf: m.gguf}}\nmodels: {m: {upstream: a}}\n"
KEY = f"{{name: k, hash: 'sha256:{'0' * 64}', limits: {{requests_per_minute: 5}}}}"


def refused(config, **options):
    with pytest.raises(ConfigError) as raised:
        parse_config(config, "test", **options)
    return {problem.path: problem.message for problem in raised.value.problems}


def test_engines_are_not_loaded_once_for_each_worker():
    assert parse_config(LOCAL, "test").server.workers == 1
    [(path, words)] = refused(LOCAL, workers=2).items()
    assert path == "upstreams.a.kind"
    assert "`glasnost engine`" in words


def test_limits_of_keys_need_a_redis():
    config = SCRIPTED + f"server: {{workers: 2, keys: [{KEY}]}}\n"
    [(path, words)] = refused(config).items()
    assert path == "limits.redis_url_env"
    assert "Redis" in words
    assert parse_config(config + "limits: {redis_url_env: REDIS_URL}\n", "test").server.workers == 2
    assert parse_config(config, "test", workers=1).server.workers == 1


def test_limits_in_the_file_of_keys_need_one_too(tmp_path):
    (tmp_path / "keys.yaml").write_text(f"keys: [{KEY}]\n")
    config = parse_config(SCRIPTED + "server: {workers: 2, keys_file: keys.yaml}\n", "test")
    with pytest.raises(ConfigError) as raised:
        with_keys(config, "test", tmp_path, {})
    assert [problem.path for problem in raised.value.problems] == ["limits.redis_url_env"]
