"""Every panel of every dashboard, asked of a real Prometheus that scrapes a gateway under load."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import time
from pathlib import Path

import httpx
import openai
import pytest

from gateway import HARMLESS, HONEST, REFUSAL, SENSITIVE, rule, script
from running import free_port, serve

pytestmark = pytest.mark.model

DASHBOARDS = sorted((Path(__file__).parents[2] / "deploy" / "grafana").glob("*.json"))
USAGE = {"prompt_tokens": 9, "completion_tokens": 7, "total_tokens": 16}
CONFIG = """
ledger: {path: FOLDER/ledger.db}
upstreams:
  gagged: {kind: scripted, script: gagged.yaml}
  open: {kind: scripted, script: open.yaml}
  engine: {kind: local, gguf: GGUF, ctx: 512, pinned: true}
models:
  asked: {upstream: gagged, ladder: [{rung: reframe}, {rung: model, model: open}]}
  open: {upstream: open}
  small: {upstream: engine}
"""
#: Of faked hardware: a GPU of which a fifth is free.
PYNVML = """
from types import SimpleNamespace
NVMLError = RuntimeError
nvmlInit = nvmlShutdown = lambda: None
nvmlDeviceGetCount = lambda: 1
nvmlDeviceGetHandleByIndex = lambda index: index
nvmlDeviceGetMemoryInfo = lambda handle: SimpleNamespace(free=16 << 30, total=80 << 30)
"""
PROMETHEUS = """
global: {{scrape_interval: 2s, evaluation_interval: 2s}}
scrape_configs: [{{job_name: glasnost, static_configs: [{{targets: ["127.0.0.1:{port}"]}}]}}]
"""
#: What Grafana puts in for its variables, for a minute's worth of data.
VARIABLES = {
    "$__rate_interval": "20s",
    "$__range": "60s",
    "$job": ".*",
    "$instance": ".*",
    "$model": ".*",
}
PANELS = [
    pytest.param(target["expr"], id=f"{path.stem}: {panel['title']}, {target['refId']}")
    for path in DASHBOARDS
    for panel in json.loads(path.read_text())["panels"]
    for target in panel["targets"]
]


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory, smollm_path):
    program = shutil.which("prometheus")
    if program is None:
        pytest.skip("prometheus is not installed; Debian has it")
    folder = tmp_path_factory.mktemp("live")
    gagged = [rule("Paris.", when={"contains": "capital of France"}, usage=USAGE), rule(REFUSAL, usage=USAGE)]
    (folder / "gagged.yaml").write_text(script(*gagged))
    (folder / "open.yaml").write_text(script(rule(HONEST, usage=USAGE)))
    (folder / "c.yaml").write_text(CONFIG.replace("GGUF", str(smollm_path)).replace("FOLDER", str(folder)))
    (folder / "pynvml.py").write_text(PYNVML)
    with serve("--config", str(folder / "c.yaml"), path=folder) as server:
        port = free_port()
        (folder / "prometheus.yml").write_text(PROMETHEUS.format(port=server.port))
        command = [program, f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data"]
        command += [f"--web.listen-address=127.0.0.1:{port}", "--log.level=error"]
        process = subprocess.Popen(command)
        try:
            load(server.openai(), seconds=12)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(30)


def load(client: openai.OpenAI, seconds: float) -> None:
    """Ask harmless and censored questions, streamed and whole, and a small real model, for a while."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for model, prompt in (("asked", HARMLESS), ("asked", SENSITIVE), ("small", HARMLESS)):
            messages = [{"role": "user", "content": prompt}]
            client.chat.completions.create(model=model, messages=messages, max_tokens=8)
            list(client.chat.completions.create(model=model, messages=messages, max_tokens=8, stream=True))


@pytest.mark.parametrize("expression", PANELS)
def test_a_panel_has_data(prometheus, expression):
    query = expression
    for name, value in VARIABLES.items():
        query = query.replace(name, value)
    assert "$" not in re.sub(r"\{\{.*?\}\}", "", query), "a variable that no dashboard gives a value"
    # A scrape that a busy machine answers too late leaves a gap until the next one.
    deadline = time.monotonic() + 30
    while not (found := asked(prometheus, query)) and time.monotonic() < deadline:
        time.sleep(0.5)
    assert found, f"no data: {query}"


def asked(prometheus: str, query: str) -> list[object]:
    """Give the series that a query returns now."""
    answer = httpx.get(f"{prometheus}/api/v1/query", params={"query": query}, timeout=30).json()
    assert answer["status"] == "success", answer
    return answer["data"]["result"]
