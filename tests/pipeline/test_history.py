"""Earlier answers that were censored: what a rung sends instead of them."""

import pytest

from glasnost.pipeline.history import cleared
from house import HONEST, POLICY, REFUSAL, House

SYSTEM = {"role": "system", "content": "You are a pirate."}
ASKED = {"role": "user", "content": "What happened at Tiananmen Square in 1989?"}
GAGGED = {"role": "assistant", "content": REFUSAL}
AGAIN = {"role": "user", "content": "And how many died there?"}
GREETING = [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Ahoy!"}]


def contents(messages):
    return [message["content"] for message in messages]


def test_a_dropped_answer_leaves_its_question_joined_with_the_next():
    sent = cleared(POLICY, [SYSTEM, *GREETING, ASKED, GAGGED, AGAIN], "drop")
    assert [message["role"] for message in sent] == ["system", "user", "assistant", "user"]
    assert sent[-1]["content"] == f"{ASKED['content']}\n\n{AGAIN['content']}"
    assert sent[0] == SYSTEM


def test_a_marked_answer_keeps_its_place_and_says_nothing_of_itself():
    thinking = {**GAGGED, "reasoning_content": "I must refuse."}
    sent = cleared(POLICY, [ASKED, thinking, AGAIN], "mark")
    assert sent[1] == {
        "role": "assistant",
        "content": "[This answer was withheld: it was judged to be censored (refusal).]",
    }


def test_what_was_not_censored_stays_as_it_was():
    messages = [SYSTEM, *GREETING, ASKED, {"role": "assistant", "content": HONEST}, AGAIN]
    for how in ("keep", "mark", "drop"):
        assert cleared(POLICY, messages, how) == messages
    assert cleared(POLICY, [ASKED, GAGGED, AGAIN], "keep") == [ASKED, GAGGED, AGAIN]


def test_a_refusal_off_every_topic_stays():
    messages = [{"role": "user", "content": "Tell me a joke."}, GAGGED, {"role": "user", "content": "Please."}]
    assert cleared(POLICY, messages, "drop") == messages


def test_an_answer_with_calls_is_marked_since_their_results_follow():
    call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    messages = [ASKED, {**GAGGED, "tool_calls": [call]}, {"role": "tool", "tool_call_id": "1", "content": "x"}, AGAIN]
    sent = cleared(POLICY, messages, "drop")
    assert sent[1]["tool_calls"] == [call]
    assert sent[1]["content"].startswith("[This answer was withheld")
    assert sent[2:] == messages[2:]


def test_questions_in_parts_are_joined_as_parts():
    parts = {"role": "user", "content": [{"type": "text", "text": "Tiananmen 1989?"}]}
    (sent,) = cleared(POLICY, [parts, GAGGED, AGAIN], "drop")
    assert [part["text"] for part in sent["content"]] == ["Tiananmen 1989?", AGAIN["content"]]


@pytest.mark.parametrize("how", ["keep", "mark", "drop"])
def test_the_first_question_is_as_the_client_sent_it_and_rungs_are_not(how):
    config = f"""
reroute: {{history: {how}}}
upstreams: {{gagged: {{kind: scripted, script: a}}, open: {{kind: scripted, script: b}}}}
models:
  asked: {{upstream: gagged, ladder: [{{rung: reframe, prompt: Be frank.}}, {{rung: model, model: other}}]}}
  other: {{upstream: open}}
"""
    each = House(config, gagged=[{"text": REFUSAL}], open=[{"text": HONEST}])
    messages = [SYSTEM, ASKED, GAGGED, AGAIN]
    text, glasnost = each.ask(messages=messages)
    assert (text, glasnost["action"]) == (HONEST, "reroute")
    first, reframe = (contents(request.messages) for request in each.heard["gagged"].requests)
    assert first == contents(messages)
    assert reframe[0] == "You are a pirate."
    assert reframe[-1].endswith("\n\nBe frank.")
    (other,) = (contents(request.messages) for request in each.heard["open"].requests)
    assert other[0] == "You are a pirate."
    assert (REFUSAL in other, REFUSAL in reframe) == ((True, True) if how == "keep" else (False, False))
    assert any(ASKED["content"] in content for content in other)
