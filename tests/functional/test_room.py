"""Several models in less memory than they take together, through a real gateway with real engines."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from gguf_files import tiny
from glasnost.engine.gguf import read_gguf
from glasnost.engine.layout import layout_of
from glasnost.engine.plan import Wish, plan
from running import Server, children_of, serve

pytestmark = pytest.mark.model

CONTEXT = 2_048


def size(path: Path) -> int:
    """Give the bytes that an engine of this file is planned with."""
    return plan(layout_of(read_gguf(path)), Wish(CONTEXT, 1, None), (1 << 40,)).space[0]


def configuration(folder: Path, path: Path, names: list[str], memory: int, *, pinned: bool = False) -> Path:
    """Write a configuration with an engine for each name, all of the same file, in so many bytes of memory."""
    local = {"kind": "local", "gguf": str(path), "ctx": CONTEXT, "slots": 1, "threads": 1, "pinned": pinned}
    config: dict[str, Any] = {"upstreams": dict.fromkeys(names, local), "engines": {"memory": memory}}
    config["models"] = {name: {"upstream": name} for name in names}
    file = folder / "glasnost.yaml"
    file.write_text(json.dumps(config))
    return file


@contextmanager
def gateway(*arguments: Any) -> Iterator[Server]:
    """Run a gateway over such a configuration."""
    with serve("--config", str(configuration(*arguments))) as server:
        yield server


def body(model: str, **options: Any) -> dict[str, Any]:
    return {"model": model, "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 2, **options}


def ask(server: Server, model: str) -> httpx.Response:
    return httpx.post(f"{server.url}/v1/chat/completions", json=body(model), timeout=60)


def loaded(server: Server, *names: str) -> list[str]:
    return [name for name in names if server.metric("glasnost_local_model_loaded", upstream=name)]


def test_the_engine_that_was_used_longest_ago_makes_room(tmp_path):
    path = tiny("{{ messages[0].content }}").write(tmp_path / "tiny.gguf")
    names = ["a", "b", "c"]
    with gateway(tmp_path, path, names, 5 * size(path) // 2) as server:
        for model in ("a", "b", "a", "c"):
            assert ask(server, model).status_code == 200
        assert loaded(server, *names) == ["a", "c"]
        assert len(children_of(server.process.pid)) == 2
        assert ask(server, "b").status_code == 200
        assert loaded(server, *names) == ["b", "c"]
        assert server.metric("glasnost_local_evictions_total") == 2


def test_an_engine_that_answers_is_not_ended_for_another_which_is_told_why(smollm_path, tmp_path):
    with gateway(tmp_path, smollm_path, ["a", "b"], 3 * size(smollm_path) // 2) as server:
        assert ask(server, "a").status_code == 200
        endless = body("a", stream=True, max_tokens=1_500, logit_bias={"2": -100})
        url = f"{server.url}/v1/chat/completions"
        with httpx.stream("POST", url, json=endless, timeout=60) as answer:
            lines = answer.iter_lines()
            next(lines)
            refused = ask(server, "b")
            assert refused.status_code == 503
            error = refused.json()["error"]
            assert error["message"].startswith("The engine 'b' finds no room: weights ")
            assert "MiB are missing" in error["message"]
            assert int(refused.headers["retry-after"]) >= 1
            assert any('"content"' in line for line in lines), "the other answer goes on"
        assert ask(server, "b").status_code == 200
        assert loaded(server, "a", "b") == ["b"]


def test_pinned_engines_that_cannot_live_together_are_refused_at_the_start_with_the_sums(tmp_path):
    path = tiny().write(tmp_path / "tiny.gguf")
    file = configuration(tmp_path, path, ["a", "b"], 3 * size(path) // 2, pinned=True)
    command = [sys.executable, "-m", "glasnost", "serve", "--config", str(file), "--port", "0"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2
    lines = [line.strip() for line in done.stderr.splitlines()]
    assert lines[0] == "the configuration: 1 problem"
    assert lines[1] == "upstreams: the engines that are always loaded do not fit together:"
    assert [line[:11] for line in lines[2:4]] == ["a: weights ", "b: weights "]
    assert lines[4].startswith("together ")
    assert lines[4].endswith("MiB are missing")
    assert lines[5].startswith("lower ctx")
