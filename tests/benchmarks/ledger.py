# ruff: noqa: T201 - what it prints is its result
"""What the ledger promises, measured: `python tests/benchmarks/ledger.py kills|cost|retention`."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # the other files of the tests

from exchanges import exchange, ledger
from glasnost.record.ledger import chain
from glasnost.record.ledger.ledger import Ledger, wall_clock
from glasnost.record.ledger.place import Place, at_file, at_server, prepare
from glasnost.record.ledger.presence import presence
from glasnost.record.ledger.pruner import Pruner
from kills import Seen, kill_again_and_again, outcome

RATE = 300
UPSTREAM_SECONDS = 0.02
DAY = 86_400_000_000


def kills(folder: Path, count: int, seed: int) -> None:
    """Kill a gateway under load, `count` times, and look at the ledger after every tenth."""
    place = at_file(folder / "ledger.db")

    def tell(done: int, seen: Seen) -> None:
        if done % 10 and done != count:
            return
        found = outcome(place, seen)
        print(f"{done} kills; answers: {len(seen.whole)} whole, {seen.broken} not; without a record: {len(found.lost)}")
        print(f"  verify: {found.breaks or 'whole'}; {found.counts}; notes: {dict(found.kinds)}", flush=True)

    kill_again_and_again(folder, count, random.Random(seed), tell)


def cost(place: Place, seconds: float, content: str) -> None:
    """Print how long exchanges waited for the ledger at a steady rate."""
    waits, spent = asyncio.run(_waits(ledger(place, content=content), seconds))
    print(f"{len(waits)} exchanges at {RATE}/s: waited {quantiles(waits)}; {spent:.0f} us of CPU each")


def retention(place: Place, records: int, seconds: float) -> None:
    """Print the waits without and with retention at work, and the memory before and after."""
    _fill(place, records)
    plain, _ = asyncio.run(_waits(ledger(place), seconds))
    print(f"before: waited {quantiles(plain)}; {_memory()} MiB at most")
    pruner = Pruner(30, None)
    began = time.monotonic()
    pruning, _ = asyncio.run(_waits(ledger(place, chores=[pruner]), None, pruner))
    print(f"{records} records gone in {time.monotonic() - began:.0f} s; {_memory()} MiB at most")
    print(f"meanwhile: waited {quantiles(pruning)}")
    print(f"p99 meanwhile / before: {_quantile(pruning, 0.99) / _quantile(plain, 0.99):.2f}")


async def _waits(each: Ledger, seconds: float | None, pruner: Pruner | None = None) -> tuple[list[float], float]:
    """Send exchanges at random moments, for a time or until nothing is left to prune; give waits and CPU."""
    await each.start()
    waits: list[float] = []
    chance = random.Random(1)
    began, cpu = time.perf_counter(), time.process_time()
    tasks: set[asyncio.Task[None]] = set()
    due = began
    while time.perf_counter() - began < (seconds or 1) or (pruner is not None and pruner.due()):
        due += chance.expovariate(RATE)
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        task = asyncio.ensure_future(_exchange(each, waits))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    await asyncio.gather(*tasks)
    spent = 1e6 * (time.process_time() - cpu) / max(1, len(waits))
    await each.aclose()
    return waits, spent


async def _exchange(each: Ledger, waits: list[float]) -> None:
    """Do what the pipeline does: the upstream answers while the beginning is recorded."""
    one = exchange()
    opening = each.opened(one)
    await asyncio.sleep(UPSTREAM_SECONDS)
    since = time.perf_counter()
    await opening
    await each.closed(one)
    waits.append(time.perf_counter() - since)


def _fill(place: Place, records: int) -> None:
    """Write records that are 60 days old."""
    lock, name, at = presence(place), chain.new_name(), wall_clock() - 60 * DAY
    with place.engine().connect() as connection:
        with connection.begin():
            lock.hold(connection, name)
            head = chain.begin(connection, name, lock, at)
        facts = {"padding": "x" * 800, "content": None}
        for _ in range(0, records, 1_000):
            new = []
            for number in range(1_000):
                new.append(head.seal("closed" if number % 2 else "opened", at, facts, f"gx-old-{number}"))
                head = new[-1].head
            with connection.begin():
                chain.add(connection, new)
        with connection.begin():
            chain.end(connection, head, at)
    lock.release()


def quantiles(waits: Sequence[float]) -> str:
    """Give the usual ones in milliseconds."""
    return ", ".join(f"p{100 * q:g} {1_000 * _quantile(waits, q):.2f} ms" for q in (0.5, 0.9, 0.99, 0.999))


def _quantile(waits: Sequence[float], q: float) -> float:
    return sorted(waits)[min(len(waits) - 1, int(q * len(waits)))]


def _memory() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10


def main() -> None:
    """Run what is asked for, on a fresh SQLite file or on the server of $GLASNOST_LEDGER_URL."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("kills", "cost", "retention"))
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--content", default="hash")
    parser.add_argument("--records", type=int, default=1_000_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if given.what == "kills":
            kills(Path(folder), given.count, given.seed)
            return
        url = os.environ.get("GLASNOST_LEDGER_URL")
        place = at_server(url) if url else at_file(Path(folder) / "ledger.db")
        prepare(place)
        print(json.dumps({"place": "server" if url else "file", "load": os.getloadavg()}))
        if given.what == "cost":
            cost(place, given.seconds, given.content)
        else:
            retention(place, given.records, given.seconds)


if __name__ == "__main__":
    main()
