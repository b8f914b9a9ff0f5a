"""Whoever leaves frees what they held within one step, and whoever comes too many is told so at once."""

from __future__ import annotations

import contextlib
import json
import socket
import time

import pytest

pytestmark = pytest.mark.model

PATH = "/v1/chat/completions"


def body(number, **fields):
    text = f"Count from {number} to a thousand, slowly, and say every number."
    # The end of the answer is banned, so that nobody ends before they are meant to.
    endless = {"logit_bias": {"2": -100, "0": -100}, "temperature": 0.8, "seed": number, "max_tokens": 400}
    return {"model": "m", "messages": [{"role": "user", "content": text}], **endless, **fields}


@contextlib.contextmanager
def streaming(engine, number):
    """Have one stream run, past its first words."""
    with engine.client() as client, client.stream("POST", PATH, json=body(number, stream=True)) as response:
        lines = response.iter_lines()
        for _ in range(4):
            next(lines)
        yield


def leave_without_reading(engine, number, **fields):
    """Send a request and close the connection while it is worked on."""
    running = engine.facts()["busy"]
    with waits(engine, number, **fields):
        engine.wait_for(lambda facts: facts["busy"] > running)


def steps_until_freed(engine, cancelled, busy):
    """Watch the engine: count the steps that ended between a cancellation and the slot's being free."""
    facts = engine.wait_for(lambda facts: facts["cancelled"] == cancelled)
    noticed = held = facts["steps"]
    while facts["busy"] != busy:
        held = facts["steps"]
        facts = engine.facts()
    return held - noticed


def test_a_stream_that_is_dropped_frees_its_slot_within_one_step(smollm):
    before = smollm.facts()["cancelled"]
    with streaming(smollm, 1):
        with streaming(smollm, 2):
            assert smollm.facts()["busy"] == 2
        assert steps_until_freed(smollm, before + 1, busy=1) <= 1
    smollm.wait_for(lambda facts: facts["busy"] == 0)


def test_a_unary_request_that_is_dropped_frees_its_slot_within_one_step(smollm):
    before = smollm.facts()["cancelled"]
    with streaming(smollm, 1):
        leave_without_reading(smollm, 2)
        assert steps_until_freed(smollm, before + 1, busy=1) <= 1
    smollm.wait_for(lambda facts: facts["busy"] == 0)


def test_every_choice_of_a_dropped_request_is_freed(smollm):
    leave_without_reading(smollm, 3, n=4)
    smollm.wait_for(lambda facts: facts["busy"] == 0, seconds=2)


def test_a_prompt_that_nobody_waits_for_is_not_computed_to_its_end(smollm):
    before = smollm.facts()["prompt_tokens"]
    long = [{"role": "user", "content": " ".join(str(number * 7919) for number in range(450))}]
    leave_without_reading(smollm, 4, messages=long)
    began = time.monotonic()
    smollm.wait_for(lambda facts: facts["busy"] == 0, seconds=5)
    assert time.monotonic() - began < 1
    assert smollm.facts()["prompt_tokens"] == before


def test_the_queue_is_bounded_and_who_leaves_it_never_starts(smollm):
    with contextlib.ExitStack() as stack:
        for number in range(8):
            stack.enter_context(streaming(smollm, number))
        waiting = [stack.enter_context(waits(smollm, number)) for number in range(4)]
        facts = smollm.wait_for(lambda facts: facts["queued"] == 4)
        assert facts["busy"] == 8
        refused_at_once(smollm)
        waiting[0].close()
        after = smollm.wait_for(lambda facts: facts["queued"] == 3)
        assert after["busy"] == 8
    smollm.wait_for(lambda facts: facts["busy"] == 0 and facts["queued"] == 0)


@contextlib.contextmanager
def waits(engine, number, **fields):
    """Send a request and do not wait for its answer; gives the connection."""
    content = json.dumps(body(number, **fields)).encode()
    headers = f"host: e\r\ncontent-type: application/json\r\ncontent-length: {len(content)}\r\n\r\n"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.connect(str(engine.socket))
        connection.sendall(f"POST {PATH} HTTP/1.1\r\n{headers}".encode() + content)
        yield connection


def refused_at_once(engine):
    with engine.client() as client:
        client.get("/livez")
        began = time.monotonic()
        response = client.post(PATH, json=body(99))
        seconds = time.monotonic() - began
    assert response.status_code == 429
    assert response.json()["error"]["code"] == "queue_full"
    assert int(response.headers["retry-after"]) >= 1
    assert seconds < 0.5
