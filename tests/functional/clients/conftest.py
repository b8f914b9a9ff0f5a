"""A `glasnost serve` of its own with a key, and the scripts that answer the scenarios."""

from __future__ import annotations

import json
from hashlib import sha256

import pytest

from running import serve

KEY = "sk-glasnost-clients"
PARIS = "The capital of France is Paris."
USAGE = {"prompt_tokens": 9, "completion_tokens": 7, "total_tokens": 16}
MAIN = [
    {
        "when": {"contains": "weather"},
        "tool_calls": [{"name": "look_up", "arguments": '{"city": "Paris"}'}],
        "finish_reason": "tool_calls",
    },
    {"when": {"contains": "as JSON"}, "text": '{"city": "Paris"}', "split": 5},
    {"when": {"contains": "be long"}, "text": "The capital", "finish_reason": "length"},
    {"when": {"contains": "think"}, "reasoning": "France, then.", "text": PARIS},
    {"when": {"contains": "break"}, "chunks": ["The ", "capital", " of"], "fault": {"cut_after": 2}},
    {"when": {"contains": "hang"}, "chunks": ["The ", "capital"], "fault": {"hang_after": 1}},
    {"text": PARIS, "split": 6, "usage": USAGE},
]
LIMITED = [{"fault": {"status": 429, "error": {"message": "Slow down.", "type": "rate_limit_error"}}}]


@pytest.fixture(scope="session")
def gateway(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clients")
    for name, rules in (("main", MAIN), ("limited", LIMITED)):
        (folder / f"{name}.yaml").write_text(json.dumps({"rules": rules}))
    config = folder / "glasnost.yaml"
    config.write_text(
        "server:\n  keys:\n"
        f"    - {{hash: 'sha256:{sha256(KEY.encode()).hexdigest()}', scopes: [chat, 'audit:read']}}\n"
        "upstreams:\n  main: {kind: scripted, script: main.yaml}\n  limited: {kind: scripted, script: limited.yaml}\n"
        "models:\n  asked: {upstream: main}\n  limited: {upstream: limited}\n"
    )
    with serve("--config", str(config)) as server:
        yield server
