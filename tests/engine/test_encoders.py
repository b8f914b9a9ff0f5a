"""A model that generates no text, a tiny BERT, still embeds it."""

from __future__ import annotations

import math
import random
import string
import struct

import llama_cpp
import pytest

from engine_process import run_engine
from gguf_files import BOOL, F32, I32, STRING, U32, File, TensorInfo, array

WIDTH, INNER, CONTEXT = 32, 64, 64
TEXTS = ["hello world", "a b c", "x", "the quick brown fox jumps"]


def bert():
    """Give a BERT of one layer that knows the letters, and pools by its first token."""
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokens += [f"\u2581{letter}" for letter in string.ascii_lowercase] + list(string.ascii_lowercase)
    values = {
        "general.architecture": (STRING, "bert"),
        "bert.block_count": (U32, 1),
        "bert.context_length": (U32, CONTEXT),
        "bert.embedding_length": (U32, WIDTH),
        "bert.feed_forward_length": (U32, INNER),
        "bert.attention.head_count": (U32, 4),
        "bert.attention.layer_norm_epsilon": (F32, 1e-12),
        "bert.attention.causal": (BOOL, False),
        "bert.pooling_type": (U32, 2),
        "tokenizer.ggml.model": (STRING, "bert"),
        "tokenizer.ggml.tokens": array(STRING, tokens),
        "tokenizer.ggml.token_type": array(I32, [3] * 5 + [1] * 52),
        "tokenizer.ggml.token_type_count": (U32, 2),
        "tokenizer.ggml.unknown_token_id": (U32, 1),
        "tokenizer.ggml.bos_token_id": (U32, 2),
        "tokenizer.ggml.eos_token_id": (U32, 3),
        "tokenizer.ggml.seperator_token_id": (U32, 3),
        "tokenizer.ggml.padding_token_id": (U32, 0),
    }
    shapes = {"token_embd": (WIDTH, len(tokens)), "position_embd": (WIDTH, CONTEXT), "token_types": (WIDTH, 2)}
    shapes |= {f"blk.0.attn_{name}": (WIDTH, WIDTH) for name in ("q", "k", "v", "output")}
    shapes |= {"blk.0.ffn_up": (WIDTH, INNER), "blk.0.ffn_down": (INNER, WIDTH)}
    weights = {f"{name}.weight": shape for name, shape in shapes.items()}
    biases = {f"{name}.bias": shape[-1:] for name, shape in shapes.items() if name.startswith("blk")}
    norms = ("token_embd_norm", "blk.0.attn_output_norm", "blk.0.layer_output_norm")
    normed = {f"{name}.{kind}": (WIDTH,) for name in norms for kind in ("weight", "bias")}
    return File(values, [TensorInfo(*each) for each in (weights | biases | normed).items()])


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    file = bert()
    data = file.bytes()
    numbers = sum((tensor.size + 31) // 32 * 8 for tensor in file.tensors)
    chance = random.Random(1)
    weights = struct.pack(f"<{numbers}f", *(chance.gauss(0, 0.3) for _ in range(numbers)))
    found = tmp_path_factory.mktemp("bert") / "bert.gguf"
    found.write_bytes(data[: -len(weights)] + weights)
    return found


@pytest.fixture(scope="module")
def engine(path):
    with run_engine(path, path.with_name("e.sock")) as engine:
        yield engine


def cosine(one, other):
    return sum(a * b for a, b in zip(one, other, strict=True)) / math.hypot(*one) / math.hypot(*other)


def test_an_encoder_gives_the_vectors_of_llama_pooled_as_its_file_says(engine, path):
    llama = llama_cpp.Llama(str(path), embedding=True, n_ctx=CONTEXT, n_threads=1, verbose=False)
    expected = llama.create_embedding(TEXTS)["data"]
    llama.close()
    with engine.openai() as client:
        found = client.embeddings.create(model="m", input=TEXTS)
        one = client.embeddings.create(model="m", input=TEXTS[3]).data[0].embedding
    for ours, theirs in zip(found.data, expected, strict=True):
        assert cosine(ours.embedding, theirs["embedding"]) > 0.9999
    assert cosine(one, found.data[3].embedding) > 0.9999
    assert cosine(found.data[0].embedding, found.data[1].embedding) < 0.999


def test_an_encoder_says_that_it_generates_no_text(engine):
    with engine.client() as client:
        facts = client.get("/props").json()
        chat = client.post("/v1/chat/completions", json={"model": "m", "messages": [{"role": "user", "content": "a"}]})
        text = client.post("/v1/completions", json={"model": "m", "prompt": "a"})
    assert (facts["generates"], facts["pooling"], facts["model"]["n_embd"]) == (False, "cls", WIDTH)
    for response in (chat, text):
        assert response.status_code == 400
        assert "/v1/embeddings" in response.json()["error"]["message"]


def test_an_input_for_an_encoder_fits_its_context(engine):
    with engine.client() as client:
        response = client.post("/v1/embeddings", json={"model": "m", "input": "a " * CONTEXT})
    assert response.json()["error"]["code"] == "context_length_exceeded"
