"""Schemas that are meant to hang or end an engine: a 400 at once, or an answer like any other."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from coverage import Coverage

from engine_process import run_engine
from hostile_schemas import ACCEPTED, REFUSED

pytestmark = pytest.mark.model

#: Of the engine's own CPU time, in seconds: the machine may be busy with others. To measure coverage takes its time.
AT_ONCE = 0.1 if Coverage.current() is None else 0.5


@pytest.fixture(scope="module")
def engine(smollm_path, tmp_path_factory):
    socket = tmp_path_factory.mktemp("engine") / "engine.sock"
    with run_engine(smollm_path, socket, "--slots", "2", "--ctx", "2048") as engine:
        yield engine


def cpu(engine) -> float:
    """Give the seconds that the engine has computed, all of its threads together."""
    threads = Path(f"/proc/{engine.process.pid}/task").glob("*/schedstat")
    return sum(int(path.read_text().split()[0]) for path in threads) / 1e9


def asked(engine, body):
    """Send a body, and give the answer with what it cost."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    with engine.client(timeout=120) as client:
        before = cpu(engine)
        answer = client.post("/v1/chat/completions", content=content, headers={"content-type": "application/json"})
        return answer, cpu(engine) - before


def formatted(schema):
    return {
        "model": "m",
        "max_tokens": 6,
        "messages": [{"role": "user", "content": "Say something."}],
        "response_format": {"type": "json_schema", "json_schema": {"name": "it", "schema": schema}},
    }


def refused(engine, body):
    """Give the error of a 400 that came at once."""
    costs = []
    for _ in range(3):
        answer, cost = asked(engine, body)
        assert answer.status_code == 400, answer.text[:300]
        costs.append(cost)
        if cost < AT_ONCE:
            break
    assert min(costs) < AT_ONCE
    return answer.json()["error"]


@pytest.mark.parametrize("name", REFUSED)
def test_a_schema_that_cannot_be_a_grammar_is_refused_at_once(engine, name):
    error = refused(engine, formatted(REFUSED[name]))
    assert error["code"] in {"invalid_schema", "too_many_values"}
    assert error["param"] == ("response_format.json_schema.schema" if error["code"] == "invalid_schema" else None)
    assert len(error["message"]) < 600


@pytest.mark.parametrize("name", ACCEPTED)
def test_a_schema_that_is_only_large_gives_an_answer(engine, name):
    answer, _ = asked(engine, formatted(ACCEPTED[name]))
    assert answer.status_code == 200, answer.text[:300]
    assert answer.json()["choices"][0]["finish_reason"] in {"length", "stop"}


@pytest.mark.parametrize(
    "schema",
    [
        b'{"enum": ["\\ud800"]}',
        b'{"enum": ["\xff"]}',
        b'{"enum": ["\0"]}',
        b'{"enum": [NaN]}',
        b'{"enum": [1e999]}',
        b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
        b"[" * 90_000,
        b'{"enum": [' + b"9" * 1_000_000 + b"]}",
    ],
)
def test_a_schema_that_is_no_json_is_refused_at_once(engine, schema):
    body = json.dumps(formatted("SCHEMA")).encode().replace(b'"SCHEMA"', schema)
    assert refused(engine, body)["code"] == "invalid_json"


@pytest.mark.parametrize("name", ["many slow patterns", "many patterns", "one union 900 times", "a long constant"])
def test_the_schema_of_a_tool_is_held_to_the_same(engine, name):
    function = {"name": "f", "parameters": {"type": "object", **REFUSED[name]}}
    error = refused(engine, {**plain(), "tools": [{"type": "function", "function": function}]})
    assert error["param"] == "tools[0].function.parameters"


def test_all_schemas_of_a_request_share_the_work(engine):
    parameters = {"type": "object", "properties": {f"p{n}": {"type": "integer", "minimum": n} for n in range(60)}}
    tools = [{"type": "function", "function": {"name": f"f{n}", "parameters": parameters}} for n in range(128)]
    error = refused(engine, {**plain(), "tools": tools})
    assert error["param"].startswith("tools[")
    assert "too much work" in error["message"]


def plain():
    return {"model": "m", "max_tokens": 6, "messages": [{"role": "user", "content": "Say something."}]}


def test_the_engine_is_still_there(engine):
    answer, _ = asked(engine, plain())
    assert answer.json()["usage"]["completion_tokens"] > 0
    assert engine.process.poll() is None
