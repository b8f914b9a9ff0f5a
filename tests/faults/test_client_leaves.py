"""A client that leaves, in every phase: the work for it ends, and the next request is served."""

import time

import httpx
import pytest

from gateway import HARMLESS, REFUSAL, SENSITIVE, body, gateway, rule, script

pytestmark = pytest.mark.faults
SLOW = 30.0


def leave(each, request, *, after_text):
    """Open a request, wait for its first text if there is to be any, and hang up."""
    with httpx.Client(timeout=httpx.Timeout(5, read=0.5)) as client:
        try:
            with client.stream("POST", f"{each.url}/v1/chat/completions", json=request) as response:
                for line in response.iter_lines():
                    if after_text and line.startswith("data: "):
                        return
        except httpx.ReadTimeout:
            assert not after_text


@pytest.mark.parametrize(
    ("phase", "prompt", "stream", "answer", "after_text"),
    [
        ("before_first_token", HARMLESS, True, rule("Paris.", first_delay=SLOW), False),
        ("before_first_token", HARMLESS, False, rule("Paris.", first_delay=SLOW), False),
        ("auditing", SENSITIVE, True, rule(REFUSAL, delay=SLOW), False),
        ("streaming", HARMLESS, True, rule("Paris is the capital.", delay=SLOW), True),
    ],
)
def test_the_work_for_a_client_that_left_ends_within_a_second(phase, prompt, stream, answer, after_text):
    with gateway(gagged=script(rule("ok", when={"contains": "again"}), answer)) as each:
        leave(each, body(prompt, stream=stream), after_text=after_text)
        gone = time.monotonic()
        while each.metric("glasnost_client_disconnects_total", phase=phase) < 1:
            assert time.monotonic() - gone < 1
            time.sleep(0.02)
        assert each.metric("glasnost_requests_in_flight", endpoint="chat") == 0
        assert each.metric("glasnost_upstream_requests_total", outcome="cancelled") == 1
        assert each.metric("glasnost_requests_total", endpoint="chat", code="499") == 1
        assert each.post(body("again")).json()["choices"][0]["message"]["content"] == "ok"


def test_a_client_that_leaves_during_a_reroute_ends_the_rung_too():
    answers = script(rule("Troops fired on unarmed people.", first_delay=SLOW))
    with gateway(answers=answers) as each:
        each.post(body(HARMLESS))  # what is made at the first judgment takes longer than this client waits
        leave(each, body(SENSITIVE, stream=True), after_text=False)
        gone = time.monotonic()
        while each.metric("glasnost_upstream_requests_total", upstream="open", outcome="cancelled") < 1:
            assert time.monotonic() - gone < 1
            time.sleep(0.02)
        assert each.metric("glasnost_audits_total", model="asked", label="refusal") == 2
