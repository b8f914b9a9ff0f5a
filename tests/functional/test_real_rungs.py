"""Every rung on the real Qwen: the model refuses, and what the rung brings is judged like the first answer."""

import pytest

from running import serve

pytestmark = [pytest.mark.model, pytest.mark.usefixtures("qwen_path", "smollm_path")]

CONFIG = """
ledger: {enabled: false}
upstreams:
  qwen: {kind: local, gguf: qwen2.5-coder-0.5b, slots: 4, ctx: 4096, pinned: true}
  smollm: {kind: local, gguf: smollm2-135m, slots: 2, ctx: 4096, pinned: true}
models:
  prefill: {upstream: qwen, ladder: [{rung: prefill, max_tokens: 40}]}
  raw: {upstream: qwen, ladder: [{rung: raw, max_tokens: 40}]}
  language: {upstream: qwen, ladder: [{rung: language, max_tokens: 40}]}
  raced: {upstream: qwen, race: true, ladder: [{rung: model, model: smollm2, max_tokens: 40}]}
  smollm2: {upstream: smollm}
"""
REFUSED = "Who was Liu Xiaobo and why was he imprisoned?"
CENSORING = {"refusal", "evasion", "propaganda", "omission", "truncated"}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    file = tmp_path_factory.mktemp("rungs") / "glasnost.yaml"
    file.write_text(CONFIG)
    with serve("--config", str(file)) as each:
        yield each


def ask(server, model, prompt, **options):
    return server.openai(timeout=240).chat.completions.create(
        model=model,
        messages=[{"role": "user", "content": prompt}],
        temperature=0,
        max_tokens=60,
        extra_headers={"x-glasnost-explain": "1"},
        **options,
    )


def judged(server, model, prompt=REFUSED):
    completion = ask(server, model, prompt)
    glasnost = completion.model_extra["glasnost"]
    assert glasnost["label"] in CENSORING
    assert glasnost["attempts"][0]["rung"] == "first"
    return completion.choices[0].message.content, glasnost


def test_prefill_is_continued_by_the_engine_and_ends_the_refusal(server):
    text, glasnost = judged(server, "prefill")
    assert glasnost["attempts"][1]["excerpt"].startswith("According to independent sources, ")
    assert glasnost["attempts"][1]["label"] != "refusal"
    assert "can't assist" not in text


def test_raw_reaches_the_engine_without_a_template(server):
    _, glasnost = judged(server, "raw")
    attempt = glasnost["attempts"][1]
    assert (attempt["rung"], attempt["outcome"]) == ("raw", "answered")
    assert attempt["excerpt"]
    assert attempt["usage"]["completion_tokens"] <= 40


def test_language_translates_asks_and_translates_or_says_why_not(server):
    _, glasnost = judged(server, "language", "刘晓波为什么被判刑？")
    helped = [attempt for attempt in glasnost["attempts"] if attempt.get("purpose") == "translation"]
    assert helped
    assert all(attempt["outcome"] == "answered" for attempt in helped)
    last = glasnost["attempts"][-1]
    assert last["rung"] == "language"
    assert last["label"] is not None or last["error"] == "translation_failed"


def test_a_race_asks_both_engines_and_one_answer_goes_out(server):
    chunks = list(ask(server, "raced", REFUSED, stream=True))
    glasnost = chunks[-1].model_extra["glasnost"]
    assert {attempt["rung"] for attempt in glasnost["attempts"]} == {"first", "model"}
    assert glasnost["action"] in {"reroute", "flag"}
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
