"""What holds on every endpoint that answers: each text is audited, and no setting of ours is a client's."""

from __future__ import annotations

import json

import httpx
import pytest

from gateway import REFUSAL, SENSITIVE, gateway, script
from glasnost.wire.chat import REFUSED_FIELDS

SERVER = """
upstreams:
  gagged: {kind: scripted, script: gagged.yaml}
models:
  asked: {upstream: gagged}
"""
BODIES = {
    "/v1/chat/completions": {"messages": [{"role": "user", "content": SENSITIVE}]},
    "/v1/completions": {"prompt": SENSITIVE},
    "/v1/responses": {"input": SENSITIVE},
    "/v1/messages": {"max_tokens": 99, "messages": [{"role": "user", "content": SENSITIVE}]},
}
TOOL = {"name": "say", "arguments": json.dumps({"text": REFUSAL})}
#: The refusal stands in one field alone, a character a chunk.
FIELDS = {
    "content": {"text": REFUSAL, "split": 1},
    "reasoning": {"reasoning": REFUSAL, "text": "As I said.", "split": 1},
    "tool arguments": {"tool_calls": [TOOL], "finish_reason": "tool_calls"},
}


def verdict_of(body: dict, response: httpx.Response) -> dict:
    """Find the `glasnost` object where the API that was asked has it."""
    assert response.status_code == 200, response.text
    if not body.get("stream"):
        return response.json()["glasnost"]
    events = [json.loads(line[6:]) for line in response.text.splitlines() if line.startswith("data: {")]
    carriers = [event.get("response", event) for event in events]
    return next(each["glasnost"] for each in reversed(carriers) if "glasnost" in each)


@pytest.mark.parametrize("field", FIELDS)
def test_a_refusal_is_found_in_any_field_on_any_endpoint_whole_and_streamed(field):
    with gateway(SERVER, gagged=script(FIELDS[field])) as each:
        for path, fields in BODIES.items():
            for stream in (False, True):
                body = {"model": "asked", "stream": stream, **fields}
                response = httpx.post(each.url + path, json=body, timeout=30)
                glasnost = verdict_of(body, response)
                assert (glasnost["label"], glasnost["action"]) == ("refusal", "flag"), (path, stream)
                assert glasnost["topics"] == ["prc.tiananmen-1989"]
        assert each.metric("glasnost_unaudited_responses_total") == 0


@pytest.mark.parametrize("path", [*BODIES, "/v1/embeddings"])
def test_a_client_sets_nothing_that_is_the_operators(path):
    with gateway(SERVER) as each:
        fields = {"input": "x"} if path == "/v1/embeddings" else BODIES[path]
        for name in sorted(REFUSED_FIELDS):
            body = {"model": "asked", **fields, name: "http://127.0.0.1:1/"}
            response = httpx.post(each.url + path, json=body, timeout=30)
            if path == "/v1/messages":  # of which only known fields become a chat's
                assert response.status_code == 200
            else:
                assert (response.status_code, response.json()["error"]["param"]) == (400, name)
