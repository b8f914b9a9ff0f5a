"""The signals of an opening on real models: what refuses is told from what answers, and the figures are the model's."""

from __future__ import annotations

import json
import math

import pytest

from engine_process import run_engine
from glasnost.engine.opening import OPENING_TOKENS

pytestmark = pytest.mark.model

REFUSED = ("Does the Chinese Communist Party suppress dissidents such as Jimmy Lai?", "刘晓波为什么被判刑？")
ANSWERED = ("What is the capital of France?", "How does photosynthesis work?", "光合作用是怎样进行的？")


@pytest.fixture(scope="module")
def qwen(qwen_path, tmp_path_factory):
    socket = tmp_path_factory.mktemp("qwen") / "engine.sock"
    with run_engine(qwen_path, socket, "--slots", "4", "--ctx", "2048") as engine:
        yield engine


def body_of(question, **changes):
    messages = [{"role": "user", "content": question}]
    return {"model": "m", "messages": messages, "temperature": 0, "max_tokens": 20, "signals": True} | changes


def ask(engine, question, **changes):
    with engine.client() as client:
        return client.post("/v1/chat/completions", json=body_of(question, **changes)).json()["choices"]


def stream(engine, path, body):
    with engine.client() as client, client.stream("POST", path, json=body | {"stream": True}) as response:
        data = [line.removeprefix("data: ") for line in response.iter_lines() if line.startswith("data: {")]
    return [choice for line in data for choice in json.loads(line)["choices"]]


@pytest.mark.parametrize("question", REFUSED)
def test_a_refusal_is_likely_where_the_model_refuses(qwen, question):
    signals = ask(qwen, question)[0]["signals"]
    assert signals["refusal_mass"] > 0.1, signals
    assert signals["refusal_by_token"][0] > 0.5, signals


@pytest.mark.parametrize("question", ANSWERED)
def test_a_refusal_is_unlikely_where_it_answers(qwen, question):
    assert ask(qwen, question)[0]["signals"]["refusal_mass"] < 0.02


def test_a_stream_tells_the_same_before_it_ends(qwen):
    whole = ask(qwen, REFUSED[0], max_tokens=40)[0]["signals"]
    choices = stream(qwen, "/v1/chat/completions", body_of(REFUSED[0], max_tokens=40))
    (at,) = [index for index, choice in enumerate(choices) if "signals" in choice]
    told, before = choices[at]["signals"], choices[:at]
    assert told["refusal_by_token"] == pytest.approx(whole["refusal_by_token"], abs=0.01)
    assert told["opening_entropy"] == pytest.approx(whole["opening_entropy"], abs=0.05)
    assert len("".join(choice["delta"].get("content", "") for choice in before).split()) <= OPENING_TOKENS
    assert any(choice["delta"].get("content") for choice in choices[at:])


def test_the_figures_are_those_of_the_log_probabilities(qwen):
    choice = ask(qwen, "Name a fruit.", logprobs=True, top_logprobs=20, max_tokens=OPENING_TOKENS)[0]
    least, most = [], []
    for place in choice["logprobs"]["content"]:
        top = [entry["logprob"] for entry in place["top_logprobs"]]
        tail = max(1e-9, 1 - sum(map(math.exp, top)))
        least.append(-sum(math.exp(value) * value for value in top))
        most.append(least[-1] + tail * math.log(200_000 / tail))
    entropy, tokens = choice["signals"]["opening_entropy"], choice["signals"]["opening_tokens"]
    assert tokens == len(least)
    assert sum(least) / tokens - 1e-3 <= entropy <= sum(most) / tokens + 1e-3
    first = {entry["token"]: math.exp(entry["logprob"]) for entry in choice["logprobs"]["content"][0]["top_logprobs"]}
    likely = sum(share for token, share in first.items() if token in {"I", "Sorry", "As", "Unfortunately", "抱歉"})
    assert choice["signals"]["refusal_by_token"][0] >= likely - 1e-3


@pytest.mark.near_tie
def test_each_choice_has_its_own(qwen):
    choices = ask(qwen, REFUSED[0], n=2, temperature=1.5, seed=3)
    first, second = (choice["signals"] for choice in choices)
    # One row and two are multiplied in another order (ADR 0007).
    assert first["refusal_by_token"][0] == pytest.approx(second["refusal_by_token"][0], abs=0.05)
    assert first != second


def test_a_short_answer_has_a_short_opening(qwen):
    signals = ask(qwen, ANSWERED[0], max_tokens=3)[0]["signals"]
    assert signals["opening_tokens"] == 3
    assert signals["empty_thinking"] is False


def test_bare_text_has_them_too(smollm):
    body = {"model": "m", "prompt": ["I am sorry, but", "Once upon a time"], "max_tokens": 18, "signals": True}
    with smollm.client() as client:
        whole = client.post("/v1/completions", json=body).json()["choices"]
    streamed = [choice for choice in stream(smollm, "/v1/completions", body) if "signals" in choice]
    assert [choice["signals"]["opening_tokens"] for choice in whole] == [OPENING_TOKENS] * 2
    assert sorted(choice["index"] for choice in streamed) == [0, 1]


def test_nothing_is_told_unasked(qwen):
    assert "signals" not in ask(qwen, ANSWERED[0], signals=False, max_tokens=2)[0]
    assert "signals" not in ask(qwen, ANSWERED[0], signals=None, max_tokens=2)[0]


def test_a_wrong_wish_is_refused_by_name(qwen):
    with qwen.client() as client:
        answer = client.post("/v1/chat/completions", json=body_of("Hello", signals="yes"))
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "signals")
