"""Completions of bare text, as a client sees them, on real models."""

from __future__ import annotations

import json
import math
import time

import pytest

from engine_process import run_engine

pytestmark = pytest.mark.model

GREEDY = {"model": "m", "prompt": "The capital of France is", "temperature": 0, "max_tokens": 6}


@pytest.fixture(scope="module")
def qwen(qwen_path, tmp_path_factory):
    socket = tmp_path_factory.mktemp("qwen") / "engine.sock"
    with run_engine(qwen_path, socket, "--slots", "2", "--ctx", "1024") as engine:
        yield engine


def ask(engine, **body):
    with engine.client() as client:
        return client.post("/v1/completions", json={**GREEDY, **body})


def choices(engine, **body):
    response = ask(engine, **body)
    assert response.status_code == 200, response.text
    return response.json()["choices"]


def chunks(engine, **body):
    with (
        engine.client() as client,
        client.stream("POST", "/v1/completions", json={**GREEDY, "stream": True, **body}) as response,
    ):
        lines = [line.removeprefix("data: ") for line in response.iter_lines() if line]
    assert lines[-1] == "[DONE]"
    return [json.loads(line) for line in lines[:-1]]


def test_a_completion_continues_the_bare_text_in_the_old_shape(smollm):
    body = ask(smollm).json()
    assert (body["object"], body["model"], body["id"][:5]) == ("text_completion", "m", "cmpl-")
    [choice] = body["choices"]
    assert set(choice) == {"index", "text", "logprobs", "finish_reason"}
    assert "Paris" in choice["text"]
    assert (choice["logprobs"], choice["finish_reason"]) == (None, "length")
    usage = body["usage"]
    assert (usage["prompt_tokens"], usage["completion_tokens"], usage["total_tokens"]) == (5, 6, 11)


def test_sixteen_tokens_are_the_default(smollm):
    assert ask(smollm, max_tokens=None).json()["usage"]["completion_tokens"] == 16


def test_the_official_client_reads_both(smollm):
    with smollm.openai() as client:
        whole = client.completions.create(**GREEDY)
        stream = client.completions.create(**GREEDY, stream=True)
        assert "".join(chunk.choices[0].text for chunk in stream) == whole.choices[0].text


@pytest.mark.near_tie
@pytest.mark.parametrize("many", [False, True])
def test_token_ids_say_what_their_text_says(smollm, many):
    with smollm.client() as client:
        tokens = client.post("/tokenize", json={"content": GREEDY["prompt"]}).json()["tokens"]
    [expected] = choices(smollm)
    assert choices(smollm, prompt=[tokens, tokens] if many else tokens)[0] == expected


def test_every_prompt_gets_its_choices_at_their_places(smollm):
    prompts = ["The capital of France is", "1, 2, 3, 4,", "The capital of Italy is"]
    body = ask(smollm, prompt=prompts, n=2, echo=True).json()
    assert [choice["index"] for choice in body["choices"]] == list(range(6))
    texts = [choice["text"] for choice in body["choices"]]
    assert [text[: len(prompts[at // 2])] for at, text in enumerate(texts)] == [prompts[at // 2] for at in range(6)]
    assert "Paris" in texts[0]
    assert "5, 6" in texts[3]
    assert "Rome" in texts[4]
    assert body["usage"]["completion_tokens"] == 36


def test_more_prompts_than_places_in_the_engine_wait_for_each_other(smollm):
    # 8 slots and a queue of 4: one request for 40 choices must not fill what others need, nor be refused.
    found = choices(smollm, prompt=[f"{number} and" for number in range(40)], max_tokens=2, echo=True)
    assert [choice["text"].split()[0] for choice in found] == [str(number) for number in range(40)]


def test_a_stream_goes_by_index_and_ends_with_usage(smollm):
    # Behind these tokens come near ties, which fall as the batch does.
    asked = {"prompt": ["The capital of France is", "1, 2, 3, 4,"], "max_tokens": 4, "echo": True}
    found = chunks(smollm, **asked, stream_options={"include_usage": True})
    *body, usage = found
    texts, reasons = ["", ""], [None, None]
    for chunk in body:
        [choice] = chunk["choices"]
        texts[choice["index"]] += choice["text"]
        reasons[choice["index"]] = choice["finish_reason"]
        assert chunk["usage"] is None
    assert texts == [choice["text"] for choice in choices(smollm, **asked)]
    assert reasons == ["length", "length"]
    assert (usage["choices"], usage["usage"]["completion_tokens"]) == ([], 8)


def test_a_stop_ends_the_text_before_it(smollm):
    [choice] = choices(smollm, prompt="1, 2, 3, 4,", stop=" 7", max_tokens=24)
    assert choice["finish_reason"] == "stop"
    assert choice["text"].endswith("6,")


def test_the_same_seed_draws_the_same_text_for_each_prompt(smollm):
    drawn = {"temperature": 1.2, "seed": 3, "prompt": ["Once", "Once"]}
    first, second = choices(smollm, **drawn)
    assert first["text"] == second["text"]
    assert choices(smollm, **{**drawn, "seed": 4})[0]["text"] != first["text"]


def test_log_probabilities_have_the_old_shape(smollm):
    [choice] = choices(smollm, logprobs=3)
    found = choice["logprobs"]
    assert "".join(found["tokens"]) == choice["text"]
    assert found["text_offset"] == [len("".join(found["tokens"][:at])) for at in range(6)]
    for token, value, top in zip(found["tokens"], found["token_logprobs"], found["top_logprobs"], strict=True):
        assert top[token] == value == max(top.values())
        assert len(top) == 3
        assert 0 < sum(map(math.exp, top.values())) <= 1.0001
    streamed = [chunk["choices"][0]["logprobs"] for chunk in chunks(smollm, logprobs=3)]
    assert [name for each in streamed if each for name in each["tokens"]] == found["tokens"]
    assert [at for each in streamed if each for at in each["text_offset"]] == found["text_offset"]


def test_log_probabilities_of_zero_others_hold_the_token_alone(smollm):
    found = choices(smollm, logprobs=0)[0]["logprobs"]
    assert found["top_logprobs"] == [
        {token: value} for token, value in zip(found["tokens"], found["token_logprobs"], strict=True)
    ]


def test_special_tokens_in_a_prompt_count(smollm):
    prompt = "<|im_start|>user\nSay only: Hi<|im_end|>\n<|im_start|>assistant\n"
    body = ask(smollm, prompt=prompt, max_tokens=100).json()
    assert body["choices"][0]["finish_reason"] == "stop"


def test_a_suffix_is_filled_in_by_a_model_that_can(qwen):
    [choice] = choices(
        qwen, prompt="def add(a, b):\n    return ", suffix="\n\nprint(add(1, 2))\n", max_tokens=12, stop="\n"
    )
    assert choice["text"].strip() == "a + b"


@pytest.mark.parametrize(
    ("body", "code", "param"),
    [
        ({"prompt": None}, "invalid_value", "prompt"),
        ({"prompt": []}, "invalid_value", "prompt"),
        ({"prompt": ""}, "invalid_value", "prompt"),
        ({"prompt": {"a": 1}}, "invalid_value", "prompt"),
        ({"prompt": [1, "a"]}, "invalid_value", "prompt"),
        ({"prompt": [-1]}, "invalid_value", "prompt"),
        ({"prompt": [49152]}, "invalid_value", "prompt"),
        ({"prompt": [[]]}, "invalid_value", "prompt"),
        ({"prompt": [True]}, "invalid_value", "prompt[0]"),
        ({"prompt": ["a", [1.5]]}, "invalid_value", "prompt[1]"),
        ({"prompt": ["a"] * 129}, "invalid_value", "prompt"),
        ({"prompt": ["a"] * 100, "n": 2}, "invalid_value", "n"),
        ({"n": 9}, "invalid_value", "n"),
        ({"n": 0}, "invalid_value", "n"),
        ({"best_of": 2}, "invalid_value", "best_of"),
        ({"logprobs": 6}, "invalid_value", "logprobs"),
        ({"logprobs": True}, "invalid_value", "logprobs"),
        ({"logprobs": 1, "echo": True}, "invalid_value", "logprobs"),
        ({"suffix": "x"}, "invalid_value", "suffix"),
        ({"suffix": 1}, "invalid_value", "suffix"),
        ({"echo": "yes"}, "invalid_value", "echo"),
        ({"stream_options": 1}, "invalid_value", "stream_options"),
        ({"max_tokens": 0}, "invalid_value", "max_tokens"),
        ({"tools": [{}]}, "unsupported_parameter", "tools"),
        ({"response_format": {"type": "json_object"}}, "unsupported_parameter", "response_format"),
        ({"prompt": "word " * 6000}, "context_length_exceeded", "prompt"),
        ({"prompt": "x" * 5_000_000}, "context_length_exceeded", "prompt"),
        ({"prompt": [5] * 4096}, "context_length_exceeded", "prompt"),
        ({"model": 1}, "invalid_value", "model"),
    ],
)
def test_what_cannot_be_done_is_refused_by_name(smollm, body, code, param):
    began = time.monotonic()
    response = ask(smollm, **body)
    error = response.json()["error"]
    assert (response.status_code, error["code"], error["param"]) == (400, code, param)
    assert time.monotonic() - began < 2


def test_another_model_is_not_found(smollm):
    assert ask(smollm, model="other").status_code == 404


def test_a_client_that_leaves_frees_every_slot(smollm):
    body = {**GREEDY, "prompt": [f"{number}" for number in range(20)], "max_tokens": 400, "stream": True}
    with smollm.client() as client, client.stream("POST", "/v1/completions", json=body) as response:
        lines = response.iter_lines()
        assert "choices" in next(lines)
        assert smollm.facts()["busy"] > 0
    facts = smollm.wait_for(lambda facts: facts["busy"] == facts["queued"] == 0)
    assert facts["status"] == "ready"
