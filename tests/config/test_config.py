"""The configuration: every mistake at once, each with its path and line."""

import pytest

from glasnost.config import is_loopback, parse_config
from glasnost.errors import ConfigError

GOOD = """
upstreams:
  near: {kind: local, gguf: smollm2-135m}
  far: {kind: http, base_url: "http://127.0.0.1:9900/v1"}
models:
  asked: {upstream: near, ladder: [{rung: reframe}, {rung: model, model: other}]}
  other: {upstream: far}
"""


def problems(text: str, **address: object) -> list[str]:
    with pytest.raises(ConfigError) as raised:
        parse_config(text, "glasnost.yaml", **address)
    return [str(problem) for problem in raised.value.problems]


def test_a_good_configuration_is_read_with_its_defaults():
    config = parse_config(GOOD, "glasnost.yaml", port=9000)
    assert config.server.port == 9000
    assert config.server.host == "127.0.0.1"
    assert config.stream.mode == "hold"
    assert [rung.rung for rung in config.models["asked"].ladder] == ["reframe", "model"]


def test_every_problem_is_told_at_once_with_its_path_and_line():
    text = """
server: {prt: 3, port: "8"}
upstreams:
  a: {kind: local, ggu: x, slots: 0}
  b: {kind: carrier-pigeon}
  c: {gguf: x}
models:
  asked: {upstream: a, ladder: [{rung: plead}, {rung: model}]}
"""
    found = problems(text)
    starts = [
        "server.port (line 2)",
        "server.prt (line 2): is not a known setting",
        "upstreams.a.gguf (line 4): is required",
        "upstreams.a.ggu (line 4): is not a known setting",
        "upstreams.a.slots (line 4)",
        "upstreams.b (line 5)",
        "upstreams.c (line 6): needs 'kind'",
        "models.asked.ladder[0] (line 8)",
        "models.asked.ladder[1].model (line 8): is required",
    ]
    assert len(found) == len(starts)
    for start in starts:
        assert any(problem.startswith(start) for problem in found), (start, found)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("upstream: near", "upstream: nowhere", "models.asked.upstream (line 6): there is no upstream 'nowhere'"),
        ("model: other", "model: nobody", "models.asked.ladder[1].model (line 6): there is no model 'nobody'"),
        ("model: other", "model: asked", "models.asked.ladder[1].model (line 6): a model cannot be its own"),
        ("kind: local", "kind: &a local", "document (line 3): anchors and aliases"),
        ("127.0.0.1:9900", "user:pass@127.0.0.1", "upstreams.far.base_url (line 4)"),
        ("kind: local", "lora: {a=b: x}, kind: local", "upstreams.near.lora"),
        ("kind: local", "lora: {a: {path: x, scale: 17}}, kind: local", "upstreams.near.lora.a.scale (line 3)"),
        (
            "kind: local",
            "control_vector_layers: [0, 3], kind: local",
            "upstreams.near.control_vector_layers[0] (line 3)",
        ),
        (GOOD, "", "document: must be a mapping"),
        (GOOD, "- 1", "document (line 1): must be a mapping"),
    ],
)
def test_a_reference_to_nothing_is_a_problem(old, new, expected):
    (found,) = problems(GOOD.replace(old, new))
    assert found.startswith(expected)


def test_an_open_address_without_a_key_refuses_to_start():
    (found,) = problems(GOOD, host="0.0.0.0")
    assert found.startswith("server.host")
    assert "glasnost key" in found
    keyed = GOOD + f"server: {{keys: ['sha256:{'0' * 64}']}}"
    assert parse_config(keyed, "x", host="0.0.0.0").server.host == "0.0.0.0"


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("[::1]", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("a.example", False),
    ],
)
def test_loopback_is_told_from_the_world(host, expected):
    assert is_loopback(host) is expected


def test_a_key_is_a_hash_or_a_mapping_with_its_name_and_mode():
    keys = f"server: {{keys: ['sha256:{'0' * 64}', {{hash: 'sha256:{'1' * 64}', name: x, mode: full}}]}}"
    config = parse_config(GOOD + keys, "glasnost.yaml")
    assert [(key.name, key.mode) for key in config.server.keys] == [(None, None), ("x", "full")]
