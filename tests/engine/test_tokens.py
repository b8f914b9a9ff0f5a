"""Tokens of text and text of tokens, as a client asks for them."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glasnost.engine.llama import Model
from glasnost.engine.settings import EngineSettings
from glasnost.engine.tokens import Room, detokenized, sources, tokenized, within
from glasnost.errors import ContextLengthExceeded, InvalidRequest

CHAT = [{"role": "user", "content": "Hi"}]


@pytest.fixture(scope="module")
def qwen(qwen_path):
    model = Model(EngineSettings(path=qwen_path, name="m"))
    yield model
    model.close()


def post(engine, path, **body):
    with engine.client() as client:
        return client.post(path, json=body)


@pytest.mark.model
@settings(max_examples=100, deadline=None)
@given(text=st.text(max_size=60))
def test_any_text_comes_back_from_the_tokens_of_a_vocabulary_of_all_bytes(qwen, text):
    tokens = tokenized({"content": text, "parse_special": False}, qwen)["tokens"]
    assert detokenized({"tokens": tokens}, qwen) == {"content": text}


@pytest.mark.model
def test_pieces_join_to_the_text_and_are_bytes_where_they_are_no_text(smollm):
    text = "Paris 🜁 x"
    tokens = post(smollm, "/tokenize", content=text, with_pieces=True).json()["tokens"]
    pieces = [token["piece"] for token in tokens]
    assert any(isinstance(piece, list) for piece in pieces)
    joined = b"".join(bytes(piece) if isinstance(piece, list) else piece.encode() for piece in pieces)
    assert joined.decode() == text
    assert [token["id"] for token in tokens] == post(smollm, "/v1/tokenize", content=text).json()["tokens"]


@pytest.mark.model
def test_special_tokens_are_one_token_or_text(smollm):
    assert len(post(smollm, "/tokenize", content="<|im_end|>").json()["tokens"]) == 1
    assert len(post(smollm, "/tokenize", content="<|im_end|>", parse_special=False).json()["tokens"]) > 1
    [token] = post(smollm, "/tokenize", content="<|im_end|>", with_pieces=True).json()["tokens"]
    assert token["piece"] == "<|im_end|>"


@pytest.mark.model
def test_the_template_is_applied_as_the_chat_applies_it(smollm):
    shown = post(smollm, "/apply-template", messages=CHAT).json()
    assert shown["prompt"].endswith("<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n")
    asked = post(smollm, "/v1/chat/completions", model="m", messages=CHAT, max_tokens=1).json()
    assert shown["tokens"] == asked["usage"]["prompt_tokens"]


@pytest.mark.model
@pytest.mark.parametrize(
    ("path", "body", "param"),
    [
        ("/tokenize", {}, "content"),
        ("/tokenize", {"content": 1}, "content"),
        ("/tokenize", {"content": "x" * (2 << 20)}, "content"),
        ("/tokenize", {"content": "x", "with_pieces": "yes"}, "with_pieces"),
        ("/tokenize", {"content": "x", "add_special": 1}, "add_special"),
        ("/detokenize", {}, "tokens"),
        ("/detokenize", {"tokens": [-1]}, "tokens"),
        ("/detokenize", {"tokens": [49152]}, "tokens"),
        ("/detokenize", {"tokens": [True]}, "tokens"),
        ("/detokenize", {"tokens": "abc"}, "tokens"),
        ("/apply-template", {}, "messages"),
        ("/apply-template", {"messages": [{"role": "king", "content": "x"}]}, "messages[0].role"),
        ("/apply-template", {"messages": CHAT, "chat_template": "{{ 1 }}"}, "chat_template"),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(smollm, path, body, param):
    began = time.monotonic()
    response = post(smollm, path, **body)
    assert (response.status_code, response.json()["error"]["param"]) == (400, param)
    assert time.monotonic() - began < 2


@pytest.mark.model
def test_a_model_that_wants_special_tokens_around_a_text_gets_them_on_request(model):
    plain = model.tokens("x", add_special=False, parse_special=True)
    wrapped = model.tokens("x", add_special=True, parse_special=True)
    assert [token for token in wrapped if token in plain] == plain


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a", ["a"]),
        (["a", "b"], ["a", "b"]),
        ([1, 2], [(1, 2)]),
        ([[1], [2, 3]], [(1,), (2, 3)]),
        (["a", [1]], ["a", (1,)]),
    ],
)
def test_sources_have_four_shapes(value, expected):
    assert sources(value, "input", vocabulary=10, most=2) == expected


@pytest.mark.parametrize("value", [None, 1, {}, [], [1, "a"], ["a", 1], [[1.0]], [10], [[-1]], ["a", "b", "c"]])
def test_other_shapes_are_refused(value):
    with pytest.raises(InvalidRequest):
        sources(value, "input", vocabulary=10, most=2)


class Letters:
    """A vocabulary of one token a letter."""

    vocabulary = 128

    def tokenize(self, text):
        return list(text.encode())


@pytest.mark.parametrize(("source", "fits"), [("abc", True), ("abcd", False), ((1, 2, 3), True), ((1, 2, 3, 4), False)])
def test_a_source_must_leave_room_in_the_context(source, fits):
    def tokens():
        return within(source, Letters(), Room(longest=4, longest_piece=1), "prompt")

    if fits:
        assert len(tokens()) == 3
    else:
        with pytest.raises(ContextLengthExceeded, match="4"):
            tokens()


def test_a_source_that_nothing_is_generated_behind_may_fill_the_context():
    room = Room(longest=4, longest_piece=1, spare=0)
    assert len(within("abcd", Letters(), room, "input")) == 4
    with pytest.raises(ContextLengthExceeded, match="holds 4 tokens; `input` alone is at least 5"):
        within("abcde", Letters(), room, "input")


@pytest.mark.parametrize("source", ["", ()])
def test_nothing_is_no_source(source):
    with pytest.raises(InvalidRequest, match="empty"):
        within(source, Letters(), Room(longest=4, longest_piece=1), "prompt")
