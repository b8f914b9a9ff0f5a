"""The auditor inside the real LiteLLM proxy and the real Portkey gateway: what policy withholds, they withhold."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from gateway import HARMLESS, REFUSAL, SENSITIVE
from gateway import gateway as started
from running import free_port

pytestmark = pytest.mark.clients

INSTALLED = Path(__file__).parents[3] / "build" / "clients"
MASTER_KEY = f"sk-{secrets.token_hex(32)}"
PARIS = "The capital of France is Paris."
SERVER = """
upstreams:
  gagged: {kind: scripted, script: gagged.yaml}
models:
  asked: {upstream: gagged}
"""


@pytest.fixture(scope="module")
def auditor():
    """One gateway that judges, and that is also the server behind the others: alone, it only flags."""
    with started(SERVER) as each:
        yield each


@contextlib.contextmanager
def running(command: list[str], port: int, path: str, environ: dict[str, str]) -> Iterator[str]:
    url = f"http://127.0.0.1:{port}"
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environ) as process:
        try:
            deadline = time.monotonic() + 240
            while not answers(url + path):
                assert process.poll() is None, "the other gateway ended"
                assert time.monotonic() < deadline, "the other gateway was not ready in time"
                time.sleep(0.2)
            yield url
        finally:
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()


def answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5).status_code < 500
    except httpx.TransportError:
        return False


@pytest.fixture(scope="module")
def litellm(auditor, tmp_path_factory):
    program = INSTALLED / "litellm" / "bin" / "litellm"
    if not program.exists():
        pytest.skip("LiteLLM's proxy is not installed here: `make clients` does it")
    config = {
        "model_list": [
            {
                "model_name": "asked",
                "litellm_params": {"model": "openai/asked", "api_base": f"{auditor.url}/v1", "api_key": "none"},
            }
        ],
        "guardrails": [
            {
                "guardrail_name": "glasnost",
                "litellm_params": {
                    "guardrail": "generic_guardrail_api",
                    "mode": ["pre_call", "post_call"],
                    "api_base": auditor.url,
                    "default_on": True,
                    "unreachable_fallback": "fail_closed",
                    "streaming_end_of_stream_only": True,
                },
            }
        ],
    }
    file = tmp_path_factory.mktemp("litellm") / "config.yaml"
    file.write_text(json.dumps(config))
    port = free_port()
    command = [str(program), "--config", str(file), "--port", str(port), "--host", "127.0.0.1"]
    environ = {**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_MASTER_KEY": MASTER_KEY}
    with running(command, port, "/health/liveliness", environ) as url:
        yield url


def ask(url: str, prompt: str, headers: dict[str, str] | None = None, **fields) -> httpx.Response:
    body = {"model": "asked", "messages": [{"role": "user", "content": prompt}], **fields}
    headers = {"authorization": f"Bearer {MASTER_KEY}", **(headers or {})}
    return httpx.post(f"{url}/v1/chat/completions", json=body, headers=headers, timeout=120)


def test_litellm_passes_an_answer_on_and_withholds_a_censored_one(auditor, litellm):
    passed = ask(litellm, HARMLESS)
    assert passed.json()["choices"][0]["message"]["content"] == PARIS
    withheld = ask(litellm, SENSITIVE)
    assert withheld.status_code == 400
    assert "refusal on prc.tiananmen-1989" in withheld.text
    assert REFUSAL not in withheld.text
    given = {"mode": "given", "topic": "prc.tiananmen-1989", "label": "refusal"}
    assert auditor.metric("glasnost_audits_total", **given) >= 1


def test_litellm_ends_a_stream_of_a_censored_answer_with_an_error(litellm):
    assert PARIS in "".join(streamed_text(ask(litellm, HARMLESS, stream=True).text))
    assert "refusal on prc.tiananmen-1989" in ask(litellm, SENSITIVE, stream=True).text


def streamed_text(body: str) -> Iterator[str]:
    for line in body.splitlines():
        if line.startswith("data: {"):
            for choice in json.loads(line[6:]).get("choices") or ():
                yield (choice.get("delta") or {}).get("content") or ""


@pytest.fixture(scope="module")
def portkey():
    program = INSTALLED / "node_modules" / "@portkey-ai" / "gateway" / "build" / "start-server.js"
    node = shutil.which("node")
    if node is None or not program.exists():
        pytest.skip("Portkey's gateway is not installed here: `make clients` does it where node is")
    port = free_port()
    with running([node, str(program), f"--port={port}", "--headless"], port, "/", dict(os.environ)) as url:
        yield url


def config(auditor, **webhook) -> dict[str, str]:
    check = {"webhookURL": f"{auditor.url}/gateways/portkey", "failOnError": True, "timeout": 20_000, **webhook}
    hooks = [{"default.webhook": check, "deny": True}]
    upstream = {"provider": "openai", "api_key": "none", "custom_host": f"{auditor.url}/v1"}
    return {"x-portkey-config": json.dumps({**upstream, "input_guardrails": hooks, "output_guardrails": hooks})}


def test_portkey_passes_an_answer_on_and_withholds_a_censored_one(auditor, portkey):
    passed = ask(portkey, HARMLESS, config(auditor))
    assert (passed.status_code, passed.json()["choices"][0]["message"]["content"]) == (200, PARIS)
    withheld = ask(portkey, SENSITIVE, config(auditor))
    assert withheld.status_code == 446
    (check,) = withheld.json()["hook_results"]["after_request_hooks"][0]["checks"]
    assert check["data"]["responseData"]["glasnost"]["label"] == "refusal"


def test_portkey_withholds_what_could_not_be_judged(auditor, portkey):
    nowhere = config(auditor, webhookURL=f"{auditor.url}/gateways/nowhere")
    assert ask(portkey, HARMLESS, nowhere).status_code == 446
