"""The planner's sums beside what engines really take: never less than that, and not much more."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from engine_process import EngineProcess, run_engine
from glasnost.engine.gguf import read_gguf
from glasnost.engine.layout import layout_of
from glasnost.engine.plan import Wish, plan
from glasnost.engine.sums import arithmetic

pytestmark = pytest.mark.model

SLOTS = 4
SCHEMA = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "kind": {"enum": ["a", "b"]}},
    "required": ["name", "kind"],
    "additionalProperties": False,
}
#: What costs memory beside the cache: every slot at work, logprobs, grammars.
WORK = [
    {"max_tokens": 4, "logprobs": True, "top_logprobs": 5},
    {"max_tokens": 4, "response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA}}},
]


def most_taken(engine: EngineProcess) -> int:
    """Give the most bytes that the process ever held in RAM, its mapped file included."""
    status = Path(f"/proc/{engine.process.pid}/status").read_text()
    found = re.search(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)
    assert found is not None
    return int(found[1]) << 10


def put_to_work(engine: EngineProcess) -> None:
    def ask(number: int) -> int:
        messages = [{"role": "user", "content": f"{number} " + "word and " * 40}]
        with engine.client() as client:
            body = {"model": "m", "messages": messages, **WORK[number % len(WORK)]}
            return client.post("/v1/chat/completions", json=body).status_code

    with ThreadPoolExecutor(SLOTS) as pool:
        assert set(pool.map(ask, range(2 * SLOTS))) == {200}


@pytest.mark.parametrize(
    ("model", "context", "kv_type"),
    [
        ("smollm_path", 2_048, "f16"),
        ("smollm_path", 16_384, "q8_0"),
        ("qwen_path", 2_048, "f16"),
        ("qwen_path", 16_384, "f16"),
    ],
)
def test_an_engine_takes_what_was_planned_for_it(request, tmp_path, model, context, kv_type):
    path = request.getfixturevalue(model)
    chosen = plan(layout_of(read_gguf(path)), Wish(context, SLOTS, None, kv_type=kv_type), (1 << 40,))
    options = ["--ctx", str(context), "--slots", str(SLOTS), "--kv-type", kv_type]
    with run_engine(path, tmp_path / "e.sock", *options) as engine:
        put_to_work(engine)
        taken = most_taken(engine)
    assert taken <= chosen.space[0] <= 1.25 * taken, f"{taken >> 20} MiB; planned: {arithmetic(chosen)}"
