"""The engine's API as a client sees it, on a real model."""

from __future__ import annotations

import json
import math
import time

import openai
import pytest

from engine_process import run_engine

pytestmark = pytest.mark.model

QUESTION = [{"role": "user", "content": "What is the capital of France?"}]
GREEDY = {"model": "m", "messages": QUESTION, "temperature": 0}


def ask(engine, **body):
    with engine.client() as client:
        return client.post("/v1/chat/completions", json={**GREEDY, "max_tokens": 8, **body})


def events(engine, **body):
    """Give the data of each event of a stream, raw."""
    body = {**GREEDY, "max_tokens": 8, "stream": True, **body}
    with engine.client() as client, client.stream("POST", "/v1/chat/completions", json=body) as response:
        assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
        return [line.removeprefix("data: ") for line in response.iter_lines() if line]


def test_a_completion_has_the_shape_that_clients_need(smollm):
    body = ask(smollm).json()
    assert body["object"] == "chat.completion"
    assert body["model"] == "m"
    [choice] = body["choices"]
    assert choice["message"]["role"] == "assistant"
    assert choice["message"]["content"]
    assert choice["message"]["refusal"] is None
    assert choice["finish_reason"] == "length"
    usage = body["usage"]
    assert usage["completion_tokens"] == 8
    assert usage["total_tokens"] == usage["prompt_tokens"] + 8


def test_a_stream_goes_role_deltas_finish_usage_done(smollm):
    *chunks, done = events(smollm, stream_options={"include_usage": True})
    assert done == "[DONE]"
    chunks = [json.loads(chunk) for chunk in chunks]
    assert len({chunk["id"] for chunk in chunks}) == 1
    *body, usage = chunks
    deltas = [chunk["choices"][0]["delta"] for chunk in body]
    assert deltas[0] == {"role": "assistant", "content": ""}
    assert deltas[-1] == {}
    assert all(set(delta) == {"content"} for delta in deltas[1:-1])
    assert [chunk["choices"][0]["finish_reason"] for chunk in body] == [None] * (len(body) - 1) + ["length"]
    assert all(chunk["usage"] is None for chunk in body)
    assert (usage["choices"], usage["usage"]["completion_tokens"]) == ([], 8)


def test_a_stream_says_what_a_completion_says(smollm):
    whole = ask(smollm, max_tokens=24).json()["choices"][0]["message"]["content"]
    chunks = [json.loads(chunk) for chunk in events(smollm, max_tokens=24)[:-1]]
    assert "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in chunks) == whole


def test_the_official_client_reads_both(smollm):
    with smollm.openai() as client:
        assert client.models.list().data[0].id == "m"
        whole = client.chat.completions.create(**GREEDY, max_tokens=8)
        stream = client.chat.completions.create(**GREEDY, max_tokens=8, stream=True)
        streamed = "".join(chunk.choices[0].delta.content or "" for chunk in stream)
    assert streamed == whole.choices[0].message.content


def test_the_end_of_an_answer_is_a_stop(smollm):
    body = ask(smollm, messages=[{"role": "user", "content": "Say only: Hi"}], max_tokens=200).json()
    assert body["choices"][0]["finish_reason"] == "stop"
    assert body["usage"]["completion_tokens"] < 200
    assert "<|im_end|>" not in body["choices"][0]["message"]["content"]


def test_a_stop_sequence_ends_the_answer_before_it(smollm):
    text = ask(smollm, max_tokens=24).json()["choices"][0]["message"]["content"]
    stop = text[9:14]
    choice = ask(smollm, max_tokens=24, stop=[stop]).json()["choices"][0]
    assert choice["message"]["content"] == text[: text.index(stop)]
    assert choice["finish_reason"] == "stop"


def test_the_same_seed_draws_the_same_answer_and_another_seed_another(smollm):
    first, again, other = (
        ask(smollm, temperature=1.5, top_p=1, min_p=0, top_k=0, seed=seed, max_tokens=16).json()["choices"]
        for seed in (11, 11, 12)
    )
    assert first == again
    assert first != other


def test_choices_of_one_request_differ_and_count_the_prompt_once(smollm):
    body = ask(smollm, n=3, temperature=1.5, seed=5, max_tokens=12).json()
    assert [choice["index"] for choice in body["choices"]] == [0, 1, 2]
    assert len({choice["message"]["content"] for choice in body["choices"]}) == 3
    single = ask(smollm).json()["usage"]["prompt_tokens"]
    assert body["usage"]["prompt_tokens"] == single
    assert 12 < body["usage"]["completion_tokens"] <= 36


def test_logit_bias_bans_and_forces_tokens(smollm):
    logprobs = ask(smollm, logprobs=True, max_tokens=1).json()["choices"][0]["logprobs"]["content"]
    forced = ask(smollm, logit_bias={"28": 100}, max_tokens=4, logprobs=True).json()["choices"][0]
    tokens = [each["token"] for each in forced["logprobs"]["content"]]
    assert len(set(tokens)) == 1
    assert tokens[0] != logprobs[0]["token"]


def test_a_frequency_penalty_keeps_forced_tokens_from_repeating(smollm):
    forced = {"logit_bias": {"28": 12}, "max_tokens": 12, "logprobs": True}
    [plain, penalised] = (
        [each["token"] for each in ask(smollm, **forced, **extra).json()["choices"][0]["logprobs"]["content"]]
        for extra in ({}, {"frequency_penalty": 2})
    )
    assert len(set(penalised)) > len(set(plain))


def test_logprobs_are_those_of_a_distribution(smollm):
    choice = ask(smollm, logprobs=True, top_logprobs=20, max_tokens=3).json()["choices"][0]
    for place in choice["logprobs"]["content"]:
        top = [each["logprob"] for each in place["top_logprobs"]]
        assert top == sorted(top, reverse=True)
        assert place["logprob"] == top[0]
        assert 0.2 < sum(map(math.exp, top)) <= 1.0001
        assert bytes(place["bytes"]).decode() == place["token"]
    assert "".join(place["token"] for place in choice["logprobs"]["content"]) == choice["message"]["content"]


def test_streamed_logprobs_are_those_of_the_completion(smollm_path, tmp_path):
    # In a cache of its own, small enough that both are computed by one kernel.
    with run_engine(smollm_path, tmp_path / "e.sock", "--slots", "1", "--ctx", "512") as alone:
        whole = ask(alone, logprobs=True, top_logprobs=2).json()["choices"][0]["logprobs"]["content"]
        chunks = [json.loads(chunk) for chunk in events(alone, logprobs=True, top_logprobs=2)[:-1]]
    found = [chunk["choices"][0]["logprobs"] for chunk in chunks]
    streamed = [place for logprobs in found if logprobs for place in logprobs["content"]]
    assert [place["token"] for place in streamed] == [place["token"] for place in whole]
    assert [place["logprob"] for place in streamed] == pytest.approx([place["logprob"] for place in whole], abs=0.05)


def test_an_assistant_message_at_the_end_is_continued(smollm):
    opening = {"role": "assistant", "content": "The capital of France is"}
    text = ask(smollm, messages=[*QUESTION, opening], max_tokens=4).json()["choices"][0]["message"]["content"]
    assert "Paris" in text


@pytest.mark.parametrize(
    ("body", "status", "code", "param"),
    [
        ({"model": "other"}, 404, "model_not_found", "model"),
        ({"messages": []}, 400, "invalid_value", "messages"),
        ({"messages": [{"role": "user", "content": "word " * 6000}]}, 400, "context_length_exceeded", "messages"),
        ({"messages": [{"role": "user", "content": "x" * 5_000_000}]}, 400, "context_length_exceeded", "messages"),
        ({"max_tokens": -1}, 400, "invalid_value", "max_tokens"),
        ({"n": 9}, 400, "invalid_value", "n"),
        ({"n": 10**9}, 400, "invalid_value", "n"),
        ({"chat_template": "{{ 1 }}"}, 400, "unsupported_parameter", "chat_template"),
        ({"response_format": {"type": "yaml"}}, 400, "invalid_value", "response_format.type"),
    ],
)
def test_what_cannot_be_served_is_refused_in_the_shape_of_openai(smollm, body, status, code, param):
    began = time.monotonic()
    response = ask(smollm, **body)
    error = response.json()["error"]
    assert (response.status_code, error["code"], error["param"]) == (status, code, param)
    assert {"message", "type", "param", "code"} <= error.keys()
    assert time.monotonic() - began < 2


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/completions", "/v1/embeddings", "/tokenize"])
def test_nothing_but_json_is_read(smollm, path):
    with smollm.client() as client:
        assert client.post(path, content=b"{}", headers={"content-type": "text/plain"}).status_code == 415
        assert client.post(path, content=b"{", headers={"content-type": "application/json"}).status_code == 400
        assert client.post(path, content=b'{"temperature": NaN}', headers={"content-type": "application/json"}).json()
        big = b" " * (17 << 20)
        assert client.post(path, content=big, headers={"content-type": "application/json"}).status_code == 413


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/livez", 200),
        ("GET", "/readyz", 200),
        ("GET", "/models", 200),
        ("GET", "/v1/models", 200),
        ("GET", "/v1/chat/completions", 405),
        ("GET", "/props", 200),
        ("GET", "/v1/completions", 405),
        ("GET", "/v1/embeddings", 405),
        ("GET", "/tokenize", 405),
        ("GET", "/detokenize", 405),
        ("GET", "/apply-template", 405),
        ("GET", "/", 404),
    ],
)
def test_paths_answer_as_they_should(smollm, method, path, status):
    with smollm.client() as client:
        response = client.request(method, path)
    assert response.status_code == status
    if status >= 400:
        assert response.json()["error"]["type"] == "invalid_request_error"


def test_readyz_says_what_is_served_and_how_busy_it_is(smollm, smollm_path):
    facts = smollm.facts()
    assert facts["model"]["sha256"] == smollm_path.stem
    assert facts["model"]["bytes"] == smollm_path.stat().st_size
    assert len(facts["model"]["template_sha256"]) == 64
    assert (facts["slots"], facts["queue_limit"], facts["kv_size"]) == (8, 4, 4096)
    assert 0 <= facts["kv_used"] <= 4096


def test_the_official_client_raises_what_it_raises_for_openai(smollm):
    with smollm.openai() as client, pytest.raises(openai.NotFoundError):
        client.chat.completions.create(model="other", messages=QUESTION)
