"""What was computed once is not computed again."""

from __future__ import annotations

import time

import pytest

from engine_process import run_engine

pytestmark = pytest.mark.model

MANUAL = " ".join(f"Rule {number}: whoever meets number {number * 37} says so at once." for number in range(30))


def ask(engine, question, **fields):
    messages = [{"role": "system", "content": MANUAL}, {"role": "user", "content": question}]
    body = {"model": "m", "messages": messages, "temperature": 0, "max_tokens": 2, **fields}
    with engine.client() as client:
        client.get("/livez")
        began = time.perf_counter()
        answer = client.post("/v1/chat/completions", json=body).json()
        seconds = time.perf_counter() - began
    return answer, seconds


@pytest.fixture
def fresh(smollm_path, tmp_path):
    with run_engine(smollm_path, tmp_path / "e.sock", "--slots", "4", "--ctx", "8192") as engine:
        yield engine


def test_a_shared_prefix_is_reused_in_its_slot_across_slots_and_while_it_is_computed(fresh):
    first, slow = ask(fresh, "Which rule is the shortest?")
    usage = first["usage"]
    assert usage["prompt_tokens"] > 450
    assert usage["prompt_tokens_details"]["cached_tokens"] == 0
    second, fast = ask(fresh, "Who wrote these rules?")
    cached = second["usage"]["prompt_tokens_details"]["cached_tokens"]
    assert cached > 0.95 * second["usage"]["prompt_tokens"] - 20
    assert fast < slow / 3, f"{slow:.2f} s, then {fast:.2f} s"
    several, _ = ask(fresh, "How many rules are there?", n=4)
    assert several["usage"]["prompt_tokens_details"]["cached_tokens"] >= cached
    computed = fresh.facts()["prompt_tokens"] - fresh.facts()["reused_tokens"]
    assert computed < 1.25 * usage["prompt_tokens"]


def test_the_next_turn_of_a_conversation_reuses_the_answer_too(fresh):
    answer, _ = ask(fresh, "Which rule is the shortest?", max_tokens=24)
    turn = [
        {"role": "system", "content": MANUAL},
        {"role": "user", "content": "Which rule is the shortest?"},
        answer["choices"][0]["message"],
        {"role": "user", "content": "And the longest?"},
    ]
    body = {"model": "m", "messages": turn, "temperature": 0, "max_tokens": 2}
    with fresh.client() as client:
        usage = client.post("/v1/chat/completions", json=body).json()["usage"]
    assert usage["prompt_tokens_details"]["cached_tokens"] > answer["usage"]["prompt_tokens"]
