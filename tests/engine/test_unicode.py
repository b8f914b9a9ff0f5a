"""Characters whose bytes are spread over tokens reach the client whole."""

from __future__ import annotations

import json

import pytest

from engine_process import run_engine

pytestmark = pytest.mark.model

# The last of each is what the model repeats in several tokens.
TEXTS = ("🦜🧭🪁", "龘靐")


@pytest.fixture(scope="module")
def qwen(qwen_path, tmp_path_factory):
    socket = tmp_path_factory.mktemp("engine") / "engine.sock"
    with run_engine(qwen_path, socket, "--slots", "2", "--ctx", "2048") as engine:
        yield engine


def places(engine, text):
    messages = [{"role": "user", "content": f"Repeat exactly this and nothing else: {text}"}]
    body = {"model": "m", "messages": messages, "temperature": 0, "max_tokens": 16, "stream": True, "logprobs": True}
    with engine.client() as client, client.stream("POST", "/v1/chat/completions", json=body) as response:
        data = [line.removeprefix("data: ") for line in response.iter_lines() if line]
    for chunk in map(json.loads, data[:-1]):
        [choice] = chunk["choices"]
        yield choice["delta"].get("content", ""), choice["logprobs"]


@pytest.mark.parametrize("text", TEXTS)
def test_characters_that_tokens_split_are_never_broken(qwen, text):
    found = list(places(qwen, text))
    pieces = [bytes(place["bytes"]) for _, logprobs in found if logprobs for place in logprobs["content"]]
    with pytest.raises(UnicodeDecodeError):
        [piece.decode() for piece in pieces]
    streamed = "".join(content for content, _ in found)
    assert "�" not in streamed
    assert streamed == b"".join(pieces).decode(errors="ignore")
    assert text[-1] in streamed
