"""Embeddings: how inputs are cut into jobs, and what real models give for them."""

from __future__ import annotations

import base64
import math
import struct
import threading
import time

import llama_cpp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine_process import run_engine
from glasnost.engine.embeddings import MAX_TOKENS, EmbeddingRequest, check_total, embedding_list, jobs
from glasnost.errors import InvalidRequest

TEXTS = ["hello world", "The capital of France is Paris, and " * 9, "x", "中文介绍一下长城。"]
POOLINGS = {"mean": llama_cpp.LLAMA_POOLING_TYPE_MEAN, "last": llama_cpp.LLAMA_POOLING_TYPE_LAST}


@pytest.fixture(scope="module")
def qwen(qwen_path, tmp_path_factory):
    socket = tmp_path_factory.mktemp("qwen") / "engine.sock"
    with run_engine(qwen_path, socket, "--slots", "2", "--ctx", "1024") as engine:
        yield engine


def ask(engine, **body):
    with engine.client() as client:
        return client.post("/v1/embeddings", json={"model": "m", "input": TEXTS, **body})


def vectors(engine, **body):
    response = ask(engine, **body)
    assert response.status_code == 200, response.text
    return [each["embedding"] for each in response.json()["data"]]


def cosine(one, other):
    return sum(a * b for a, b in zip(one, other, strict=True)) / math.hypot(*one) / math.hypot(*other)


@pytest.mark.model
@pytest.mark.parametrize("pooling", ["mean", "last"])
@pytest.mark.parametrize("name", ["smollm", "qwen"])
def test_vectors_are_those_of_llama(name, pooling, request):
    engine, path = request.getfixturevalue(name), request.getfixturevalue(f"{name}_path")
    llama = llama_cpp.Llama(
        str(path), embedding=True, pooling_type=POOLINGS[pooling], n_ctx=512, n_threads=2, verbose=False
    )
    expected = llama.create_embedding(TEXTS)
    llama.close()
    found = ask(engine, pooling=pooling).json()
    assert found["usage"] == expected["usage"]
    for ours, theirs in zip(found["data"], expected["data"], strict=True):
        assert ours["index"] == theirs["index"]
        assert cosine(ours["embedding"], theirs["embedding"]) > 1 - 1e-3
        assert math.hypot(*ours["embedding"]) == pytest.approx(1)


@pytest.mark.model
def test_the_official_client_reads_what_it_asks_for_by_itself(smollm):
    plain = vectors(smollm)
    with smollm.openai() as client:
        response = client.embeddings.create(model="m", input=TEXTS)  # in base64, unless told otherwise
    assert [each.index for each in response.data] == [0, 1, 2, 3]
    for ours, theirs in zip(plain, response.data, strict=True):
        assert theirs.embedding == pytest.approx(ours, abs=1e-6)
    assert response.usage.total_tokens == response.usage.prompt_tokens > 70


@pytest.mark.model
def test_a_text_has_the_same_vector_alone_among_others_and_as_token_ids(smollm):
    [alone] = vectors(smollm, input=TEXTS[3])
    with smollm.client() as client:
        tokens = client.post("/tokenize", json={"content": TEXTS[3]}).json()["tokens"]
    for given_as in (TEXTS, [tokens] * 6, tokens, ["a"] * 40 + [TEXTS[3]]):
        assert cosine(alone, vectors(smollm, input=given_as)[-1]) > 0.9999


@pytest.mark.model
def test_texts_that_mean_the_same_are_near(smollm):
    cat, kitten, tax = vectors(
        smollm,
        input=[
            "The cat sat on the mat.",
            "A kitten was sitting on a rug.",
            "Fiscal policy in the third quarter",
        ],
    )
    assert cosine(cat, kitten) > cosine(cat, tax)


@pytest.mark.model
def test_fewer_dimensions_are_the_first_ones_at_length_one_again(smollm):
    [full] = vectors(smollm, input="x", normalize=False)
    [short] = vectors(smollm, input="x", dimensions=8)
    length = math.hypot(*full[:8])
    assert length != pytest.approx(1, abs=0.1)
    assert short == pytest.approx([value / length for value in full[:8]], rel=1e-5)


@pytest.mark.model
def test_the_first_and_the_last_token_are_ways_of_pooling(smollm):
    first, last = (vectors(smollm, input="hello world", pooling=pooling)[0] for pooling in ("cls", "last"))
    [hello] = vectors(smollm, input="hello", pooling="last")
    assert cosine(first, hello) > 0.9999
    assert cosine(last, hello) < 0.99


@pytest.mark.model
@pytest.mark.parametrize(
    ("body", "code", "param"),
    [
        ({"input": None}, "invalid_value", "input"),
        ({"input": ""}, "invalid_value", "input"),
        ({"input": ["a", ""]}, "invalid_value", "input"),
        ({"input": []}, "invalid_value", "input"),
        ({"input": [[]]}, "invalid_value", "input"),
        ({"input": [99999999]}, "invalid_value", "input"),
        ({"input": ["a"] * 2049}, "invalid_value", "input"),
        ({"input": "word " * 3000}, "context_length_exceeded", "input"),
        ({"input": "x" * 5_000_000}, "context_length_exceeded", "input"),
        ({"encoding_format": "int8"}, "invalid_value", "encoding_format"),
        ({"dimensions": 0}, "invalid_value", "dimensions"),
        ({"dimensions": 577}, "invalid_value", "dimensions"),
        ({"pooling": "rank"}, "invalid_value", "pooling"),
        ({"normalize": 1}, "invalid_value", "normalize"),
        ({"model": None}, "invalid_value", "model"),
    ],
)
def test_what_cannot_be_embedded_is_refused_by_name(smollm, body, code, param):
    response = ask(smollm, **body)
    error = response.json()["error"]
    assert (response.status_code, error["code"], error["param"]) == (400, code, param)


@pytest.mark.model
def test_an_input_may_fill_the_context_and_no_more(smollm_path, tmp_path):
    with run_engine(smollm_path, tmp_path / "e.sock", "--ctx", "256") as engine:
        assert ask(engine, input=[[5] * 256]).json()["usage"]["prompt_tokens"] == 256
        message = ask(engine, input=[[5] * 257]).json()["error"]["message"]
    assert "256" in message
    assert "257" in message


@pytest.mark.model
def test_a_stream_goes_on_beside_a_large_batch(smollm):
    done = threading.Event()

    def embed():
        ask(smollm, input=["one two three four five six seven eight"] * 60)
        done.set()

    thread = threading.Thread(target=embed)
    endless = {"0": -100, "2": -100}
    body = {"model": "m", "prompt": "Once upon a time", "max_tokens": 2000, "stream": True, "logit_bias": endless}
    during, longest = 0, 0.0
    with smollm.client() as client, client.stream("POST", "/v1/completions", json=body) as response:
        lines = response.iter_lines()
        next(lines)
        thread.start()
        while not done.is_set():
            began = time.monotonic()
            next(lines)
            during, longest = during + 1, max(longest, time.monotonic() - began)
    thread.join()
    assert during >= 5  # a step or more between two of its jobs
    assert longest < 5


@pytest.mark.model
def test_a_client_that_leaves_stops_its_batch(smollm):
    with smollm.client(timeout=0.3) as client, pytest.raises(Exception, match="timed out"):
        client.post("/v1/embeddings", json={"model": "m", "input": [[5] * 1000] * 100})
    began = time.monotonic()
    assert len(vectors(smollm, input="x")) == 1
    assert time.monotonic() - began < 10  # all of it would have taken minutes


@given(
    lengths=st.lists(st.integers(1, 30), max_size=20),
    tokens=st.integers(1, 16),
    slots=st.integers(1, 4),
)
def test_jobs_hold_every_token_once_in_order_and_within_bounds(lengths, tokens, slots):
    inputs = [[(place, at) for at in range(length)] for place, length in enumerate(lengths)]
    found = {place: [] for place in range(len(inputs))}
    for group in jobs(inputs, tokens=tokens, slots=slots):
        assert len(group) == 1 or len({job.inputs for job in group}) == 1
        for job in group:
            assert sum(len(span.tokens) for span in job.spans) <= tokens
            assert len({span.slot for span in job.spans}) == len(job.spans) <= slots
            for span, place in zip(job.spans, job.inputs, strict=True):
                assert span.start == len(found[place])
                found[place] += span.tokens
    assert list(found.values()) == inputs


def test_short_inputs_share_a_job():
    assert [len(group[0].spans) for group in jobs([[1]] * 10, tokens=64, slots=4)] == [4, 4, 2]


def test_base64_is_of_little_endian_floats():
    request = EmbeddingRequest.parse(
        {"model": "m", "input": "x", "encoding_format": "base64", "normalize": False}, vocabulary=10, width=3
    )
    [data] = embedding_list(request, [[1.0, -2.0, 0.5]], 1)["data"]
    assert struct.unpack("<3f", base64.b64decode(data["embedding"])) == (1.0, -2.0, 0.5)


def test_a_vector_of_nothing_stays_one():
    request = EmbeddingRequest.parse({"model": "m", "input": "x"}, vocabulary=10, width=2)
    assert embedding_list(request, [[0.0, 0.0]], 1)["data"][0]["embedding"] == [0.0, 0.0]


def test_the_tokens_of_one_request_are_bounded():
    assert check_total([(1, 2), (3,)]) == 3
    with pytest.raises(InvalidRequest, match=str(MAX_TOKENS)):
        check_total([(1,) * 2000] * 151)
