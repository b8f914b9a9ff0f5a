"""The steps of a model, and what each of them sends."""

import pytest

from glasnost.config import parse_config
from glasnost.pipeline.ladder import steps
from glasnost.pipeline.rungs.prompts import shipped
from glasnost.pipeline.rungs.reframe import Reframe
from glasnost.upstream.script import parse_script
from glasnost.upstream.scripted import ScriptPlayer
from glasnost.wire.chat import ChatRequest
from house import POLICY

CONFIG = parse_config(
    """
upstreams:
  one: {kind: scripted, script: a}
  two: {kind: scripted, script: b}
models:
  asked:
    upstream: one
    ladder:
      - {rung: reframe, max_tokens: 50, seconds: 3}
      - {rung: reframe, prompt: Be frank.}
      - {rung: prefill}
      - {rung: language, translator: third}
      - {rung: model, model: other}
      - {rung: models, models: [third, other]}
  other: {upstream: two}
  third: {upstream: two}
""",
    "test",
)
SCRIPT = parse_script("rules: [{text: hi}]", "script")
UPSTREAMS = {name: ScriptPlayer(name, SCRIPT) for name in CONFIG.upstreams}
SYSTEM = {"role": "system", "content": "You are a pirate."}
USER = {"role": "user", "content": "Why?"}


def found():
    return steps("asked", CONFIG.models, UPSTREAMS)


def request(*messages, **fields):
    return ChatRequest.parse({"model": "asked", "messages": list(messages), **fields})


def test_the_plain_question_comes_first_the_rungs_keep_their_order_and_each_has_a_name_of_its_own():
    assert [(step.rung, step.model, step.upstream.name) for step in found()] == [
        ("first", "asked", "one"),
        ("reframe", "asked", "one"),
        ("reframe-2", "asked", "one"),
        ("prefill", "asked", "one"),
        ("language", "asked", "one"),
        ("model", "other", "two"),
        ("models", "third", "two"),
        ("models", "other", "two"),
    ]


def test_a_rung_has_its_own_limits_and_a_translator_of_its_own():
    _, reframe, second, _, language, *_ = found()
    assert (reframe.max_tokens, reframe.seconds) == (50, 3)
    assert (second.max_tokens, second.seconds) == (None, None)
    assert (language.helping.model, language.helping.upstreams[0].name) == ("third", "two")


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        ([USER], [{"role": "system", "content": "Be frank."}, USER]),
        (
            [{"role": "system", "content": "You are a pirate."}, USER],
            [{"role": "system", "content": "You are a pirate.\n\nBe frank."}, USER],
        ),
        (
            [{"role": "developer", "content": [{"type": "text", "text": "Short."}]}, USER],
            [
                {
                    "role": "developer",
                    "content": [{"type": "text", "text": "Short."}, {"type": "text", "text": "Be frank."}],
                },
                USER,
            ],
        ),
        ([{"role": "system", "content": None}, USER], [{"role": "system", "content": "Be frank."}, USER]),
    ],
)
def test_a_reframe_adds_to_the_clients_system_message_and_never_replaces_it(messages, expected):
    sent = found()[2].way.request(request(*messages, temperature=0.3))
    assert list(sent.messages) == expected
    assert sent.body["temperature"] == 0.3


def test_a_reframe_behind_a_long_conversation_leaves_it_as_it_was_computed():
    long = [SYSTEM, {"role": "user", "content": "Hello. " * 100}, {"role": "assistant", "content": "Hi."}, USER]
    sent = list(Reframe().request(request(*long)).messages)
    assert sent[:-1] == long[:-1]
    assert sent[-1]["content"] == f"Why?\n\n{shipped('reframe')}"
    parts = {"role": "user", "content": [{"type": "text", "text": "Hello. " * 100}]}
    (only,) = Reframe().request(request(parts)).messages
    assert [part["text"] for part in only["content"]] == ["Hello. " * 100, shipped("reframe")]
    called = [*long, {"role": "tool", "tool_call_id": "1", "content": "x"}]
    assert Reframe().request(request(*called)).messages[0]["content"].startswith("You are a pirate.\n\n")


@pytest.mark.parametrize("name", ["reframe", "prefill.en", "prefill.zh", "language", "raw", "mark"])
def test_no_shipped_text_names_a_topic(name):
    assert shipped(name).strip()
    assert not POLICY.topics_in_text(shipped(name))


def test_the_shipped_reframe_is_the_default():
    assert Reframe().prompt == shipped("reframe")
