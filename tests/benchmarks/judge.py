"""Measure a model as the judge: `python tests/benchmarks/judge.py FILE.jsonl --model NAME [--rows N] [--injections N]`.

Rows are JSON lines with `question, response, gold`, gold being COMPLETE, EVASIVE or DENIAL. The judge is the one of
the gateway, rubric, schema and limits included. NAME is a model that was pulled, or the path of a GGUF, for which an
engine is started; with `--url` it is a model of that server. Injections are put at the end of answers, to see whether
that changes what the judge says of them.
"""

# ruff: noqa: T201  # a script that prints its figures, and starts an engine with its own words

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path

import httpx

sys.path.append(str(Path(__file__).parent.parent))

from benchmarks.accuracy import interval
from glasnost.config import HttpUpstream, JudgeSettings, TimeoutSettings
from glasnost.models.cache import cache_folder
from glasnost.models.resolve import resolve
from glasnost.pipeline.opinions.judge import Judge, Judged
from glasnost.policy.label import Label
from glasnost.upstream.http import HttpServer
from injections import INJECTIONS

KINDS = {Label.COMPLETE: "COMPLETE", Label.REFUSAL: "DENIAL", Label.INCONCLUSIVE: "no opinion"}
TOPIC = "a question on politics or society"
Row = dict[str, str]


async def main() -> None:
    """Judge the rows and print how that agrees with people."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--model", required=True)
    parser.add_argument("--url", help="the API of a server that has the model, as in http://127.0.0.1:8000/v1")
    parser.add_argument("--rows", type=int, help="so many rows, spread over the file, instead of all")
    parser.add_argument("--injections", type=int, default=0, help="try so many, each on an answer of its own")
    parser.add_argument("--seconds", type=float, default=120.0, help="the time for one opinion")
    given = parser.parse_args()
    with given.file.open(encoding="utf-8") as lines:
        rows: list[Row] = [json.loads(line) for line in lines]
    chosen = rows[:: max(1, len(rows) // given.rows)][: given.rows] if given.rows else rows
    async with server(given.model, given.url) as upstream:
        settings = JudgeSettings(model=given.model, seconds=given.seconds, per_minute=1_000_000)
        judge = Judge(settings, [upstream], time.monotonic)
        judged = []
        for row in chosen:
            judged.append(await judge.ask([TOPIC], row["question"], row["response"]))
            print(f"\r{len(judged)} of {len(chosen)}", end="", file=sys.stderr, flush=True)
        report(chosen, judged)
        if given.injections:
            await try_injections(judge, chosen, judged, INJECTIONS[:: max(1, 100 // given.injections)])


@contextlib.asynccontextmanager
async def server(model: str, url: str | None) -> AsyncIterator[HttpServer]:
    """Give the upstream of the judge, with an engine of its own where no server is named."""
    patient = TimeoutSettings(first_token=600, total=600)
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        settings = HttpUpstream(kind="http", base_url=url or "http://engine/v1", timeouts=patient)
        if url is None:
            socket = Path(folder) / "engine.sock"
            settings = settings.model_copy(update={"uds": str(socket)})
            gguf = resolve(model, cache_folder(os.environ))
            stack.enter_context(engine(gguf, model, socket))
            await started(socket)
        upstream = HttpServer("judge", settings)
        try:
            yield upstream
        finally:
            await upstream.aclose()


@contextlib.contextmanager
def engine(gguf: Path, name: str, socket: Path) -> Iterator[None]:
    """Run an engine."""
    command = [sys.executable, "-m", "glasnost", "engine", str(gguf), "--name", name, "--uds", str(socket)]
    process = subprocess.Popen([*command, "--slots", "1"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait()


async def started(socket: Path) -> None:
    """Wait until the engine serves."""
    transport = httpx.AsyncHTTPTransport(uds=str(socket))
    async with httpx.AsyncClient(transport=transport, base_url="http://engine") as client, asyncio.timeout(300):
        while True:
            with contextlib.suppress(httpx.TransportError):
                if (await client.get("/readyz")).status_code == 200:
                    return
            await asyncio.sleep(0.2)


def report(rows: Sequence[Row], judged: Sequence[Judged]) -> None:
    """Print agreement, results, seconds and tokens."""
    print(f"{len(rows)} rows: {dict(Counter(row['gold'] for row in rows))}")
    print(f"results: {dict(Counter(each.consultation.result for each in judged))}")
    said = [kind(each) for each in judged]
    pairs = Counter((row["gold"], name) for row, name in zip(rows, said, strict=True))
    for (gold, name), count in sorted(pairs.items()):
        print(f"  people {gold:9} judge {name:10} {count}")
    agreed = sum(row["gold"] == name for row, name in zip(rows, said, strict=True))
    print(f"agreement, three kinds        {interval(agreed, len(rows))}")
    censored = [name not in ("COMPLETE", "no opinion") for name in said]
    truth = [row["gold"] != "COMPLETE" for row in rows]
    hits = sum(one and other for one, other in zip(censored, truth, strict=True))
    print(f"not complete: precision       {interval(hits, sum(censored))}")
    print(f"not complete: recall          {interval(hits, sum(truth))}")
    seconds = [each.consultation.seconds for each in judged]
    tokens = [(each.consultation.usage or {}).get("prompt_tokens", 0) for each in judged]
    print(f"seconds an opinion: median {statistics.median(seconds):.1f}, most {max(seconds):.1f}; ", end="")
    print(f"tokens read: median {statistics.median(tokens):.0f}")


def kind(each: Judged) -> str:
    """Give an opinion in the words of the people's labels."""
    return "no opinion" if each.opinion is None else KINDS.get(each.opinion.label, "EVASIVE")


async def try_injections(judge: Judge, rows: Sequence[Row], judged: Sequence[Judged], texts: Sequence[str]) -> None:
    """Put a text behind an answer each, and count the opinions that it changes."""
    changed = towards = 0
    for number, text in enumerate(texts):
        row, before = rows[number % len(rows)], judged[number % len(rows)]
        after = await judge.ask([TOPIC], row["question"], f"{row['response']}\n\n{text}")
        changed += kind(after) != kind(before)
        towards += kind(after) == "COMPLETE" != kind(before)
    print(f"injections: {len(texts)}, opinion unchanged {interval(len(texts) - changed, len(texts))}; ", end="")
    print(f"{towards} turned to complete")


if __name__ == "__main__":
    asyncio.run(main())
