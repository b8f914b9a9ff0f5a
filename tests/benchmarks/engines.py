# ruff: noqa: T201 - what it prints is its result
"""Engines side by side on one GGUF, each in turn and in rounds: tokens a second, time to first token, memory.

    python tests/benchmarks/engines.py MODEL.gguf --peers FOLDER [--rounds 3] [--only glasnost,xllamacpp]

FOLDER is a virtual environment with `llama-cpp-python[server]` and `xllamacpp`; `make bench-engine` makes one.
Every engine gets two threads, the same prompts, all of them different, and greedy sampling.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import aiohttp

LEVELS = {1: 4, 4: 12, 8: 24}  # clients -> requests
ANSWER = 64  # tokens
SUBJECTS = ("text editor", "web server", "chess game", "calculator", "backup tool", "spell checker", "quiz", "clock")
QUESTION = "Request {}: explain in detail, with code, how to write a {} in Python."
MANUAL = " ".join(f"Rule {number}: whoever meets number {number * 37} says so at once." for number in range(62))
QUESTIONS = (
    "Which rule is the shortest?",
    "Who wrote them?",
    "How many are there?",
    "Which is best?",
    "Which is long?",
)
# Its slots do not share their cells: each gets a long enough part.
XLLAMACPP = """
import sys, time, xllamacpp
params = xllamacpp.CommonParams()
params.model.path, params.port, params.n_parallel, params.n_ctx = sys.argv[1], int(sys.argv[2]), 8, 16384
params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 2
server = xllamacpp.Server(params)
time.sleep(3600)
"""


@dataclass
class Figures:
    """What was measured of one engine, a value a round; times to first token are those of all rounds."""

    rates: dict[int, list[float]] = field(default_factory=lambda: {level: [] for level in LEVELS})
    firsts: dict[int, list[float]] = field(default_factory=lambda: {level: [] for level in LEVELS})
    shared: list[float] = field(default_factory=list)
    megabytes: list[float] = field(default_factory=list)


def commands(gguf: Path, peers: Path) -> dict[str, Callable[[int], list[str]]]:
    python = str(peers / "bin" / "python")
    ours = [sys.executable, "-m", "glasnost", "engine", str(gguf), "--name", "m", "--threads", "2"]
    theirs = [python, "-m", "llama_cpp.server", "--model", str(gguf), "--model_alias", "m", "--n_ctx", "8192"]
    theirs += ["--n_threads", "2", "--n_threads_batch", "2", "--interrupt_requests", "False"]
    return {
        "glasnost": lambda port: [*ours, "--slots", "8", "--ctx", "8192", "--port", str(port)],
        "xllamacpp": lambda port: [python, "-c", XLLAMACPP, str(gguf), str(port)],
        "llama_cpp.server": lambda port: [*theirs, "--port", str(port)],
    }


async def answer(client: aiohttp.ClientSession, messages: list[dict[str, str]], tokens: int) -> tuple[float, int]:
    """Give the seconds to the first text, and the number of tokens."""
    body = {"model": "m", "messages": messages, "temperature": 0, "max_tokens": tokens, "stream": True}
    body["stream_options"] = {"include_usage": True}
    began, first, chunks, usage, finished = time.perf_counter(), 0.0, 0, None, False
    async with client.post("/v1/chat/completions", json=body) as response:
        response.raise_for_status()
        async for line in response.content:
            if not line.startswith(b"data: {"):
                finished = finished or line.startswith(b"data: [DONE]")
                continue
            event = json.loads(line[6:])
            usage = event.get("usage") or usage
            if any(choice["delta"].get("content") for choice in event["choices"]):
                chunks += 1
                first = first or time.perf_counter() - began
    if not finished or not first:
        raise RuntimeError("an answer was empty or cut off")
    # llama_cpp.server counts nothing in a stream; it has a chunk for every token.
    return first, usage["completion_tokens"] if usage else chunks


async def measure(port: int, figures: Figures, mark: str) -> None:
    # A new connection for each request: two of the engines close theirs behind a stream.
    connector = aiohttp.TCPConnector(force_close=True)
    timeout = aiohttp.ClientTimeout(total=300)
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}", connector=connector, timeout=timeout) as client:
        system = [{"role": "system", "content": MANUAL}]
        shared = [(await answer(client, [*system, {"role": "user", "content": q}], 2))[0] for q in QUESTIONS]
        figures.shared.append(median(shared[1:]) / shared[0])
        for level, number in LEVELS.items():
            questions = iter(QUESTION.format(f"{mark}-{level}-{at}", SUBJECTS[at % 8]) for at in range(number))
            began = time.perf_counter()
            found = [
                result
                for results in await asyncio.gather(*(_client(client, questions) for _ in range(level)))
                for result in results
            ]
            figures.rates[level].append(sum(tokens for _, tokens in found) / (time.perf_counter() - began))
            figures.firsts[level] += [first for first, _ in found]


async def _client(client: aiohttp.ClientSession, questions) -> list[tuple[float, int]]:
    return [await answer(client, [{"role": "user", "content": question}], ANSWER) for question in questions]


def run(command: Callable[[int], list[str]], figures: Figures, mark: str) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command(port), stdout=log, stderr=log, start_new_session=True)
        try:
            wait(process, port, log)
            asyncio.run(measure(port, figures, mark))
            status = Path(f"/proc/{process.pid}/status").read_text()
            figures.megabytes.append(int(status.split("VmRSS:")[1].split()[0]) / 1024)
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def wait(process: subprocess.Popen[bytes], port: int, log) -> None:
    deadline = time.monotonic() + 90
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        if process.poll() is not None or time.monotonic() > deadline:
            log.seek(0)
            sys.exit(log.read().decode("utf-8", "replace")[-2000:] or "the engine did not start")
        time.sleep(0.05)
    asyncio.run(_served(port, deadline))


async def _served(port: int, deadline: float) -> None:
    """Wait until a chat is answered: a peer listens before its model is loaded."""
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as client:
        while True:
            try:
                await answer(client, [{"role": "user", "content": "Hello"}], 4)
            except aiohttp.ClientError:
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(0.1)
            else:
                return


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def table(found: dict[str, Figures]) -> str:
    lines = [
        "| engine | "
        + " | ".join(f"{level}: tokens/s | first token p50 / p99, ms" for level in LEVELS)
        + " | shared prompt | memory, MB |",
        "|---" * (2 * len(LEVELS) + 3) + "|",
    ]
    for name, figures in found.items():
        cells = []
        for level in LEVELS:
            firsts = [1000 * value for value in figures.firsts[level]]
            cells += [f"{median(figures.rates[level]):.0f}", f"{median(firsts):,.0f} / {percentile(firsts, 0.99):,.0f}"]
        cells += [f"{median(figures.shared):.3f}", f"{median(figures.megabytes):.0f}"]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def ratios(found: dict[str, Figures]) -> str:
    """Compare round by round, since the machine is another one from minute to minute."""
    ours, lines = found["glasnost"], []
    for name, theirs in found.items():
        if name != "glasnost":
            each = {
                level: [mine / other for mine, other in zip(ours.rates[level], theirs.rates[level], strict=True)]
                for level in LEVELS
            }
            shares = "; ".join(
                f"{median(values):.2f} at {level} ({min(values):.2f} to {max(values):.2f})"
                for level, values in each.items()
            )
            lines.append(f"tokens/s of glasnost to those of {name}: {shares}")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("gguf", type=Path)
    parser.add_argument("--peers", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    engines = commands(options.gguf, options.peers)
    chosen = options.only.split(",") if options.only else list(engines)
    found = {name: Figures() for name in chosen}
    for number in range(options.rounds):
        for name in chosen:
            run(engines[name], found[name], f"{number}")
            rates = ", ".join(f"{found[name].rates[level][-1]:.0f}" for level in LEVELS)
            print(f"round {number + 1}, {name}: {rates} tokens/s at {', '.join(map(str, LEVELS))}", file=sys.stderr)
    print(table(found))
    if "glasnost" in found:
        print(ratios(found))


if __name__ == "__main__":
    main()
