"""LoRA adapters in a real engine: chosen by each request, alone, together, and over the cache of prefixes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest

from adapter_files import adapters
from engine_process import run_engine

pytestmark = pytest.mark.model

QUESTION = "Write a haiku about the sea."
NONE, FIRST, SECOND = [], [{"id": 0, "scale": 1}], [{"id": "two", "scale": 1.0}]


@pytest.fixture(scope="module")
def engine(smollm_path, tmp_path_factory):
    """SmolLM2 with two adapters, of which only the first is applied unless a request says otherwise."""
    folder = tmp_path_factory.mktemp("adapters")
    one, two = adapters(folder, 1, 2)
    options = ["--lora", f"one={one}", "--lora", f"two={two}:0", "--slots", "4", "--ctx", "4096"]
    with run_engine(smollm_path, folder / "e.sock", *options) as process:
        yield process


def chat(engine, lora=None, question=QUESTION, **fields):
    body = {"model": "m", "messages": [{"role": "user", "content": question}], "temperature": 0, "max_tokens": 16}
    with engine.client() as client:
        answer = client.post("/v1/chat/completions", json={**body, "lora": lora, **fields})
    assert answer.status_code == 200, answer.text
    return answer.json()


def text(answer):
    return answer["choices"][0]["message"]["content"]


def cached(answer):
    return answer["usage"]["prompt_tokens_details"]["cached_tokens"]


def test_each_set_of_adapters_has_its_own_answer(engine):
    sets = (NONE, FIRST, SECOND, [*FIRST, *SECOND], [{"id": 0, "scale": -1}])
    answers = [text(chat(engine, lora)) for lora in sets]
    assert len(set(answers)) == len(answers)


def test_sets_are_told_apart_by_what_they_hold_and_not_by_how_they_are_written(engine):
    """Who finds the prompt in the cache got the same set."""
    for ways in (
        ([], [{"id": "one", "scale": 0}, {"id": 1, "scale": 0.0}]),
        (FIRST, None, [{"id": "one"}], [{"id": 0, "scale": 1.0}, {"id": 1, "scale": 0}]),
        (SECOND, [{"id": 1}], [{"id": "two", "scale": 1}]),
        ([*FIRST, *SECOND], [*SECOND, *FIRST]),
    ):
        first, *others = [chat(engine, lora, question=f"Say {ways[0]}.") for lora in ways]
        assert cached(first) < 30
        assert all(cached(other) == other["usage"]["prompt_tokens"] - 1 for other in others)


def test_a_prefix_that_was_cached_with_one_set_is_not_used_with_another(engine):
    question = "List the days of the week, then the months of the year, and then the four seasons."
    sets = [[{"id": 0, "scale": scale}] for scale in (0.3, 0.4)]
    assert [cached(chat(engine, lora, question=question)) for lora in (*sets, sets[0])][:2] == [0, 0]
    assert cached(chat(engine, sets[0], question=question)) > 40


def test_streams_of_different_adapters_go_on_together(engine):
    body = {
        "model": "m",
        "messages": [{"role": "user", "content": QUESTION}],
        "temperature": 0,
        "max_tokens": 60,
        "logit_bias": {"2": -100},
        "stream": True,
    }
    arrivals: list[str] = []

    def stream(lora):
        with (
            engine.client() as client,
            client.stream("POST", "/v1/chat/completions", json={**body, "lora": lora}) as answer,
        ):
            arrivals.extend(str(lora) for line in answer.iter_lines() if line.startswith("data: {"))

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(stream, (NONE, FIRST)))
    turns = sum(before != after for before, after in pairwise(arrivals))
    assert turns >= 10, f"{turns} changes between two streams of 60 tokens"


def test_completions_and_embeddings_take_adapters_too(engine):
    def completion(lora):
        body = {"model": "m", "prompt": "The sea is", "temperature": 0, "max_tokens": 24, "lora": lora}
        return client.post("/v1/completions", json=body).json()["choices"][0]["text"]

    def embedding(lora):
        body = {"model": "m", "input": "The sea is", "lora": lora}
        return client.post("/v1/embeddings", json=body).json()["data"][0]["embedding"]

    with engine.client() as client:
        assert len({completion(lora) for lora in (NONE, FIRST, SECOND)}) == 3
        plain, first, default = embedding(NONE), embedding(FIRST), embedding(None)
        assert plain != first
        assert first == default
        assert embedding(NONE) == plain


@pytest.mark.parametrize(
    "lora",
    [
        "one",
        {"id": 0},
        [0],
        [{"scale": 1}],
        [{"id": 2}],
        [{"id": -1}],
        [{"id": True}],
        [{"id": "three"}],
        [{"id": 0, "scale": "1"}],
        [{"id": 0, "scale": 16.5}],
        [{"id": 0, "scale": True}],
        [{"id": 0}, {"id": "one"}],
        [{"id": 0, "path": "/etc/passwd"}],
    ],
)
@pytest.mark.parametrize("path", ["chat/completions", "completions", "embeddings"])
def test_adapters_that_are_not_there_are_a_400(engine, lora, path):
    rest = {"messages": [{"role": "user", "content": "Hi"}], "prompt": "Hi", "input": "Hi"}
    key = {"chat/completions": "messages", "completions": "prompt", "embeddings": "input"}[path]
    with engine.client() as client:
        answer = client.post(f"/v1/{path}", json={"model": "m", key: rest[key], "lora": lora})
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == "lora"


def test_an_engine_without_adapters_says_so_and_takes_an_empty_list(smollm):
    with smollm.client() as client:
        body = {"model": "m", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 1}
        assert client.post("/v1/chat/completions", json={**body, "lora": []}).status_code == 200
        refused = client.post("/v1/chat/completions", json={**body, "lora": FIRST})
        assert refused.status_code == 400
        assert "--lora" in refused.json()["error"]["message"]
        assert client.get("/props").json()["lora"] == []


def test_props_tell_which_adapters_there_are(engine):
    with engine.client() as client:
        props = client.get("/props").json()
    assert props["lora"] == [
        {"id": 0, "name": "one", "file": "lora1.gguf", "scale": 1.0},
        {"id": 1, "name": "two", "file": "lora2.gguf", "scale": 0.0},
    ]
    assert props["control_vectors"] == []
