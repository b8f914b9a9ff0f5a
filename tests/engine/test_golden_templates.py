"""Official chat templates, rendered as transformers renders them (see tests/golden/templates/generate.py)."""

from __future__ import annotations

import hashlib
import json
import os
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from glasnost.engine.gguf import read_gguf
from glasnost.engine.prompt import Prompter
from glasnost.engine.template import ChatTemplate
from glasnost.errors import InvalidRequest
from glasnost.wire.chat import ChatRequest

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "golden" / "templates"
CASES = json.loads((GOLDEN / "cases.json").read_text("utf-8"))
TOOLS = json.loads((GOLDEN / "tools.json").read_text("utf-8"))
DIGESTS = json.loads((GOLDEN / "digests.json").read_text("utf-8"))
KEPT = sorted(path.stem for path in GOLDEN.glob("*.json") if path.stem not in ("cases", "tools", "digests"))


class Bytes:
    def tokenize(self, text):
        return list(text.encode())


def official(name):
    [version] = re.findall(r"^llama[-_]cpp[-_]python==(\S+)$", (ROOT / "constraints.txt").read_text(), re.MULTILINE)
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "glasnost" / "templates" / version
    if not cache.exists():
        pytest.skip(f"{cache} does not exist; run scripts/templates")
    return (cache / f"{name}.jinja").read_text("utf-8")


@pytest.fixture
def source(request, name):
    if not name.startswith("gguf-"):
        return official(name)
    fixture = {"gguf-qwen2.5-coder-0.5b": "qwen_path", "gguf-smollm2-135m": "smollm_path"}[name]
    return read_gguf(request.getfixturevalue(fixture)).values["tokenizer.chat_template"]


def rendered(template, case):
    try:
        text = template.render(case["messages"], case.get("variables"), TOOLS if case.get("tools") else None)
    except InvalidRequest as error:
        return {"refused": str(error).removeprefix("The model's chat template refuses: ")}
    return {"text": text}


def compiled(source, golden):
    assert hashlib.sha256(source.encode()).hexdigest() == golden["sha256"]
    moment = datetime(2026, 8, 1, tzinfo=UTC)
    return ChatTemplate(source, bos="<s>", eos="</s>", now=lambda: moment)


@pytest.mark.parametrize("name", KEPT)
def test_a_template_of_a_known_family_renders_like_transformers(name, source):
    golden = json.loads((GOLDEN / f"{name}.json").read_text("utf-8"))
    template = compiled(source, golden)
    assert golden["cases"].keys() == CASES.keys()
    for case, expected in golden["cases"].items():
        # Where transformers fails, since it gives templates `tools` that are None, ours may do better.
        if "fails" not in expected:
            assert rendered(template, CASES[case]) == expected, case


@pytest.mark.parametrize("name", sorted(DIGESTS))
def test_every_other_official_template_renders_like_transformers(name, source):
    template = compiled(source, DIGESTS[name])
    for case, expected in DIGESTS[name]["cases"].items():
        if "fails" not in expected:
            found = rendered(template, CASES[case])
            if "text" in found:
                found = {"digest": hashlib.sha256(found["text"].encode()).hexdigest()[:16]}
            assert found == expected, case


@pytest.mark.parametrize(
    ("name", "opened", "closed"),
    [
        ("Qwen-Qwen3-0.6B", "<|im_start|>assistant\n", "<|im_start|>assistant\n<think>\n\n</think>\n\n"),
        ("deepseek-ai-DeepSeek-R1-Distill-Llama-8B", "<think>\n", "<think>\n\n</think>\n\n"),
        ("deepseek-ai-DeepSeek-V3.1", "<think>", "<think></think>"),
        ("Kimi-K2-Thinking", "<|im_middle|>", "<|im_middle|><think>\n\n</think>\n\n"),
        ("GLM-4.7-Flash", "<think>", "<|assistant|></think>"),
        ("ByteDance-Seed-OSS", "assistant\n", "assistant\n<seed:think>\n\n</seed:think>\n\n"),
        ("mistralai-Ministral-3-14B-Reasoning-2512", "[/INST]", "[/INST][THINK][/THINK]"),
        ("CohereForAI-c4ai-command-r7b-12-2024-tool_use", "TOKEN|>", "<|START_THINKING|><|END_THINKING|>"),
        ("google-gemma-4-31B-it", "<|turn>model\n", "<|turn>model\n<|channel>thought\n<channel|>"),
        ("openai-gpt-oss-120b", "<|start|>assistant", "<|start|>assistant<|channel|>final<|message|>"),
        ("meta-llama-Llama-3.1-8B-Instruct", "<|end_header_id|>\n\n", "<|end_header_id|>\n\n"),
    ],
)
def test_thinking_is_switched_and_a_beginning_stands_behind_it(name, source, opened, closed):  # noqa: ARG001
    prompter = Prompter(ChatTemplate(source), Bytes(), 1_000_000, 1)

    def end(effort, *beginning):
        messages = [{"role": "user", "content": "Hi"}, *beginning]
        request = ChatRequest.parse({"model": "m", "messages": messages, "reasoning_effort": effort})
        return bytes(prompter.prompt(request).tokens).decode()

    assert end("high").endswith(opened)
    assert end("none").endswith(closed)
    for effort in ("high", "none"):
        assert end(effort, {"role": "assistant", "content": "According to"}).endswith(f"{closed}According to")
