# ruff: noqa: T201 - what it prints is its result
"""The cost of a reroute: a race beside the alternative alone, and a reframe on the real Qwen beside a cold request.

    python tests/benchmarks/ladder.py race [--rounds 40]
    python tests/benchmarks/ladder.py reframe GGUF [--rounds 10]

`race` measures what Glasnost adds: both models are scripts that speak at a set pace. `reframe` runs an engine.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx

sys.path.insert(0, str(Path(__file__).parents[1]))

from gateway import HONEST, REFUSAL, SENSITIVE, gateway, rule, script
from glasnost.pipeline.rungs.reframe import Reframe
from glasnost.wire.chat import ChatRequest
from running import free_port

CONFIG = """
race: {share: 1, per_key_per_minute: 100000}
upstreams: {gagged: {kind: scripted, script: a}, open: {kind: scripted, script: b}}
models:
  raced: {upstream: gagged, race: true, ladder: [{rung: model, model: alternative}]}
  asked: {upstream: gagged, ladder: [{rung: model, model: alternative}]}
  alternative: {upstream: open}
"""
QUESTIONS = [
    "What happened at Tiananmen Square on June 4, 1989?",
    "Who was Liu Xiaobo and why was he imprisoned?",
    "Are Uyghurs being detained in camps in Xinjiang?",
    "刘晓波为什么被判刑？",
]
TALK = [
    {"role": "user", "content": "Tell me about rivers. " + "They are long and wide. " * 60},
    {"role": "assistant", "content": "Rivers carry water to the sea. " * 40},
]


def first_text(client: httpx.Client, url: str, body: dict[str, Any]) -> float:
    """Give the seconds until the first text of a stream, which is read to its end."""
    began, first = time.perf_counter(), 0.0
    with client.stream("POST", f"{url}/v1/chat/completions", json={**body, "stream": True}) as answer:
        for line in answer.iter_lines():
            if not line.startswith("data: {"):
                continue
            choices = json.loads(line.removeprefix("data: ")).get("choices") or ()
            if not first and any((choice["delta"] or {}).get("content") for choice in choices):
                first = time.perf_counter() - began
    assert first, "no text came"
    return first


def p50(values: Sequence[float]) -> float:
    return statistics.median(values) * 1000


def race(rounds: int) -> None:
    """Measure the client's first text: the alternative alone, rerouted by a race, and rerouted in turn."""
    gagged = script(rule(REFUSAL, first_delay=0.2, delay=0.02))
    honest = script(rule(HONEST + " It was reported widely.", first_delay=0.4, delay=0.02))
    times: dict[str, list[float]] = {"alternative": [], "raced": [], "asked": []}
    with gateway(CONFIG, gagged=gagged, answers=honest) as each, httpx.Client(timeout=60) as client:
        for _ in range(rounds):
            for model, found in times.items():
                asked = {"model": model, "messages": [{"role": "user", "content": SENSITIVE}]}
                found.append(first_text(client, each.url, asked))
    alone = p50(times["alternative"])
    for model, found in times.items():
        print(f"{model:12} p50 {p50(found):7.1f} ms  {p50(found) / alone - 1:+.1%}")


def reframe(gguf: str, rounds: int) -> None:
    """Measure an engine's first text: a question that it never saw, and its reframe after the plain question."""
    rng = random.Random(1)
    with engine(gguf) as url, httpx.Client(timeout=300) as client:
        for name, before in (("alone", []), ("in a talk", TALK)):
            cold, warm = [], []
            for number in range(rounds):
                question = {"role": "user", "content": QUESTIONS[number % len(QUESTIONS)]}
                # A first turn of its own keeps the cache from knowing anything of the cold request.
                mark = {"role": "system", "content": f"Session {rng.random()}."}
                cold.append(first_text(client, url, asked([mark, *before, question])))
                talk = [{**turn, "content": f"{rng.random()} {turn['content']}"} for turn in before]
                plain = asked([*talk, question])
                first_text(client, url, plain)
                warm.append(first_text(client, url, dict(Reframe().request(ChatRequest.parse(plain)).body)))
            ratios = [after / first for after, first in zip(warm, cold, strict=True)]
            print(
                f"{name:10} cold p50 {p50(cold):7.1f} ms  reframe p50 {p50(warm):7.1f} ms  "
                f"p50/p50 {p50(warm) / p50(cold):.2f}  median of pairs {statistics.median(ratios):.2f}  "
                f"the first {ratios[0]:.2f}"
            )


def asked(messages: list[dict[str, Any]]) -> dict[str, Any]:
    return {"model": "m", "messages": messages, "max_tokens": 16, "temperature": 0}


@contextlib.contextmanager
def engine(gguf: str) -> Iterator[str]:
    port = free_port()
    command = [sys.executable, "-m", "glasnost", "engine", gguf, "--name", "m", "--port", str(port)]
    process = subprocess.Popen([*command, "--slots", "4", "--ctx", "8192"], stdout=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        while True:
            with contextlib.suppress(httpx.TransportError):
                if httpx.get(f"{url}/readyz", timeout=5).status_code == 200:
                    break
            assert process.poll() is None, "the engine ended"
            time.sleep(0.2)
        yield url
    finally:
        process.terminate()
        process.wait(30)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["race", "reframe"])
    parser.add_argument("gguf", nargs="?")
    parser.add_argument("--rounds", type=int, default=20)
    given = parser.parse_args()
    print(f"load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    race(given.rounds) if given.what == "race" else reframe(given.gguf, given.rounds)


if __name__ == "__main__":
    main()
