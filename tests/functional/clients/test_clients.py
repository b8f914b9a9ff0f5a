"""Real clients, unchanged, through the scenarios that break gateways: each in its own process against one gateway."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

HERE = Path(__file__).parent
INSTALLED = Path(__file__).parents[3] / "build" / "clients"
KEY = "sk-glasnost-clients"
PARIS = "The capital of France is Paris."

CALL = {"name": "look_up", "arguments": {"city": "Paris"}, "finish": "tool_calls"}
EXPECTED = {
    "chat": {"text": PARIS, "finish": "stop", "total": 16},
    "stream": {"text": PARIS, "finish": "stop", "total": None},
    "stream_usage": {"text": PARIS, "finish": "stop", "total": 16},
    "tool": CALL,
    "tool_stream": CALL,
    "json_schema": {"city": "Paris"},
    "n": [[PARIS, PARIS], [PARIS, PARIS]],
    "length": {"text": "The capital", "finish": "length"},
    "logprobs": [PARIS, PARIS],
    "reasoning": ["France, then.", "France, then."],
    "error_401": 401,
    "error_404": 404,
    "error_429": 429,
    "mid_stream": "The capital",
    "abort": "The ",
}


@dataclass(frozen=True)
class Client:
    """How one client is driven, what it has no words for, and how often it asks in all when it gets a 429."""

    name: str
    program: str
    home: str
    lacks: frozenset[str] = frozenset()
    differs: dict[str, Any] = field(default_factory=dict)
    tries: int = 3
    marks: tuple = (pytest.mark.clients,)

    def command(self) -> list[str]:
        if self.program.endswith(".mjs"):
            return [_found("node"), str(HERE / self.program)]
        python = sys.executable if self.home == "." else INSTALLED / self.home / "bin" / "python"
        return [str(python), str(HERE / self.program)]

    def require(self) -> None:
        """Skip where the client is not installed."""
        if self.program.endswith(".mjs"):
            _found("node")
        if self.home != "." and not (INSTALLED / self.home).exists():
            pytest.skip(f"{self.name} is not installed here: `make clients` does it")


def _found(program: str) -> str:
    path = shutil.which(program)
    if path is None:
        pytest.skip(f"there is no {program} on this machine")
    return path


CLIENTS = [
    Client("openai-python 2", "drive_openai.py", ".", marks=()),
    Client("openai-node", "drive_openai.mjs", "node_modules", marks=()),
    Client("openai-python 3", "drive_openai.py", "openai3"),
    # Its stream has one choice only, and it keeps no reasoning that comes in a chat.
    Client(
        "langchain-openai",
        "drive_langchain.py",
        "openai3",
        lacks=frozenset({"reasoning"}),
        differs={"n": EXPECTED["n"][:1]},
    ),
    # It asks again by itself, each time with a client that does so too.
    Client("llama-index", "drive_llama_index.py", "llama-index", tries=6),
    Client("litellm", "drive_litellm.py", "."),
    Client("llm", "drive_llm.py", "openai3", lacks=frozenset({"stream", "n", "logprobs", "length", "reasoning"})),
    Client("anthropic", "drive_anthropic.py", "openai3", lacks=frozenset({"stream", "json_schema", "n", "logprobs"})),
    Client("AI SDK", "drive_ai_sdk.mjs", "node_modules", lacks=frozenset({"stream", "n", "logprobs"})),
]


@pytest.mark.parametrize("client", [pytest.param(each, id=each.name, marks=each.marks) for each in CLIENTS])
def test_a_client_notices_nothing(gateway, client):
    client.require()
    headers = {"authorization": f"Bearer {KEY}"}
    before = counted(gateway, headers)
    environ = {**os.environ, "NODE_PATH": "", "PYTHONWARNINGS": "ignore", "PYTHONPATH": str(HERE)}
    command = [*client.command(), gateway.url, KEY, str(INSTALLED)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=environ, check=False)
    assert done.returncode == 0, done.stderr
    expected = {name: value for name, value in EXPECTED.items() if name not in client.lacks} | client.differs
    assert json.loads(done.stdout.splitlines()[-1]) == expected
    deadline = time.monotonic() + 10
    while (after := counted(gateway, headers))["left"] == before["left"] and time.monotonic() < deadline:
        time.sleep(0.05)
    # A wrong key and an unknown model are asked for once, a full server again, and the one that left is noticed.
    new = {name: after[name] - before[name] for name in after}
    assert new == {"401": 1, "404": 1, "429": client.tries, "left": 1}


def counted(gateway, headers) -> dict[str, int]:
    """Count the requests by the status that they got, and the clients that left while they were answered."""
    counts = {"401": 0, "404": 0, "429": 0, "left": 0}
    for line in httpx.get(f"{gateway.url}/metrics", headers=headers, timeout=10).text.splitlines():
        for name in counts:
            if line.startswith("glasnost_requests_total{") and f'code="{name}"' in line:
                counts[name] += int(float(line.rsplit(" ", 1)[1]))
        if line.startswith('glasnost_client_disconnects_total{phase="streaming"}'):
            counts["left"] += int(float(line.rsplit(" ", 1)[1]))
    return counts
