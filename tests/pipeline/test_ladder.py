"""The steps of a model, and what each of them sends."""

import pytest

from glasnost.cli.load import load_policy
from glasnost.config import parse_config
from glasnost.pipeline.ladder import REFRAME, steps
from glasnost.upstream.script import parse_script
from glasnost.upstream.scripted import ScriptPlayer
from glasnost.wire.chat import ChatRequest

CONFIG = parse_config(
    """
upstreams:
  one: {kind: scripted, script: a}
  two: {kind: scripted, script: b}
models:
  asked: {upstream: one, ladder: [{rung: reframe}, {rung: reframe, system: Be frank.}, {rung: model, model: other}]}
  other: {upstream: two}
""",
    "test",
)
SCRIPT = parse_script("rules: [{text: hi}]", "script")
UPSTREAMS = {name: ScriptPlayer(name, SCRIPT) for name in CONFIG.upstreams}


def found():
    return steps("asked", CONFIG.models, UPSTREAMS)


def request(*messages, **fields):
    return ChatRequest.parse({"model": "asked", "messages": list(messages), **fields})


USER = {"role": "user", "content": "Why?"}


def test_the_plain_question_comes_first_and_the_rungs_keep_their_order():
    assert [(step.rung, step.model, step.upstream.name) for step in found()] == [
        ("first", "asked", "one"),
        ("reframe", "asked", "one"),
        ("reframe", "asked", "one"),
        ("model", "other", "two"),
    ]


def test_the_plain_question_and_another_model_send_what_the_client_sent():
    asked = request(USER, temperature=0, tools=[{"type": "function"}], top_k=3)
    first, *_, last = found()
    assert first.request(asked).body == asked.body
    assert last.request(asked).body == {**asked.body, "model": "other"}


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
    sent = found()[2].request(request(*messages, temperature=0.3))
    assert list(sent.messages) == expected
    assert sent.body["temperature"] == 0.3


def test_the_built_in_reframe_names_no_topic():
    assert found()[1].system == REFRAME
    assert not load_policy(("prc",)).topics_in_text(REFRAME)
