"""What streaming through Glasnost costs, against the same upstream asked directly.

    python tests/benchmarks/streams.py [--requests 300] [--no-ledger]

Off topics: the time to the first token of both, one after the other in turns, one request at a time. On a topic, in
`hold`: the time from when the upstream sends the chunk that decides the opening to when the client has the first token.
The upstream writes each chunk's time of sending into a field of its own, which comes through unchanged.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import orjson

from glasnost.audit.rules import StreamRules
from glasnost.audit.stream import StreamAudit
from glasnost.cli.load import load_policy
from glasnost.config import StreamSettings
from glasnost.wire.conversation import Conversation

OFF_TOPIC = "How do I bake bread?"
ON_TOPIC = "What happened at Tiananmen Square on June 4, 1989?"
ANSWER = (
    "Troops fired on unarmed protesters in Beijing on 4 June 1989. It was a night of early summer. "
    "Hundreds of people were killed. Many others fled. "
)
GAP = 0.005
WARM_UP = 20
SHARES = (0.1, 0.5, 0.99)


def chunk(text: str, reason: str | None = None) -> dict[str, object]:
    choice = {"index": 0, "delta": {"content": text}, "logprobs": None, "finish_reason": reason}
    return {"id": "b", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}


def pieces() -> list[str]:
    return [f"{word} " for word in ANSWER.split()]


def deciding() -> int:
    """Give the number of the chunk with which the auditor releases the opening."""
    audited = StreamAudit(load_policy(("prc",)), Conversation.ask(ON_TOPIC), StreamRules(StreamSettings()))
    return next(at for at, text in enumerate(pieces()) if audited.feed(chunk(text)))


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer chat requests: at once off topics, with a gap before each chunk on one."""
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
            gap = GAP if b"Tiananmen" in await reader.readexactly(length) else 0.0
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
            for event in events(gap):
                writer.write(b"%x\r\n%s\r\n" % (len(event), event))
                await asyncio.sleep(gap)
            writer.write(b"0\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


def events(gap: float) -> Iterator[bytes]:
    texts = pieces() if gap else ["Mix", " flour", " and", " water."]
    chunks = [*(chunk(text) for text in texts), chunk("", "stop")]
    for each in chunks:
        yield b"data: " + orjson.dumps(each | {"sent": time.monotonic_ns()}) + b"\n\n"
    yield b"data: [DONE]\n\n"


def upstream(port: multiprocessing.Queue[int]) -> None:
    async def serve() -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        port.put(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(serve())


class Client:
    """One kept-alive connection."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def open(self) -> None:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)

    async def ask(self, prompt: str) -> tuple[int, int, list[dict[str, object]]]:
        """Stream an answer; give when it was asked for, when its first text was there, and its chunks."""
        body = json.dumps({"model": "m", "stream": True, "messages": [{"role": "user", "content": prompt}]}).encode()
        head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n"
        asked = time.monotonic_ns()
        self._writer.write(head.encode() + b"Content-Type: application/json\r\n\r\n" + body)
        await self._reader.readuntil(b"\r\n\r\n")
        first, received = 0, b""
        while (size := int(await self._reader.readuntil(b"\r\n"), 16)) > 0:
            received += (await self._reader.readexactly(size + 2))[:-2]
            if not first and b'"content":' in received:
                first = time.monotonic_ns()
        await self._reader.readexactly(2)
        lines = [line.removeprefix(b"data: ") for line in received.split(b"\n") if line.startswith(b"data: {")]
        return asked, first, [orjson.loads(line) for line in lines]


async def measure(direct_port: int, through_port: int, count: int) -> dict[str, list[float]]:
    """Give milliseconds."""
    direct, through = Client(direct_port), Client(through_port)
    await direct.open()
    await through.open()
    found: dict[str, list[float]] = {"direct": [], "through": [], "hold": []}
    decides = deciding()
    for _ in range(WARM_UP + count):
        for name, client in (("direct", direct), ("through", through)):
            asked, first, _ = await client.ask(OFF_TOPIC)
            found[name].append((first - asked) / 1e6)
    for _ in range(WARM_UP + count // 4):
        _, first, chunks = await through.ask(ON_TOPIC)
        found["hold"].append((first - int(str(chunks[decides]["sent"]))) / 1e6)
    return {name: times[WARM_UP:] for name, times in found.items()}


def gateway(upstream_port: int, folder: Path, *, ledger: bool) -> tuple[subprocess.Popen[bytes], int]:
    config = folder / "glasnost.yaml"
    base = f"http://127.0.0.1:{upstream_port}/v1"
    settings = {
        "upstreams": {"u": {"kind": "http", "base_url": base}},
        "models": {"m": {"upstream": "u"}},
        "ledger": {"enabled": ledger, "path": str(folder / "ledger.sqlite")},
    }
    config.write_text(json.dumps(settings))
    port = upstream_port + 1
    command = [sys.executable, "-m", "glasnost", "serve", "--config", str(config), "--port", str(port)]
    return subprocess.Popen([*command, "--log-level", "warning"], cwd=folder), port


async def ready(port: int) -> None:
    for _ in range(600):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except ConnectionError:
            await asyncio.sleep(0.1)
        else:
            writer.close()
            return
    raise SystemExit("the gateway did not start")


def told(name: str, times: list[float]) -> str:
    ordered = sorted(times)
    return f"{name:<44}" + "".join(f" {ordered[int(len(ordered) * share)]:8.3f}" for share in SHARES)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=300)
    parser.add_argument("--no-ledger", action="store_true", help="without waiting for the record before the first byte")
    arguments = parser.parse_args()
    count = arguments.requests
    ports: multiprocessing.Queue[int] = multiprocessing.Queue()
    server = multiprocessing.Process(target=upstream, args=(ports,), daemon=True)
    server.start()
    with tempfile.TemporaryDirectory() as folder:
        upstream_port = ports.get()
        process, port = gateway(upstream_port, Path(folder), ledger=not arguments.no_ledger)
        try:
            asyncio.run(ready(port))
            found = asyncio.run(measure(upstream_port, port, count))
        finally:
            process.terminate()
            process.wait(30)
            server.terminate()
    through, direct = sorted(found["through"]), sorted(found["direct"])
    added = [through[int(count * share)] - direct[int(count * share)] for share in SHARES]
    lines = [
        f"{'milliseconds':<44}" + "".join(f"{'p' + format(100 * share, 'g'):>9}" for share in SHARES),
        told("first token, direct", direct),
        told("first token, through Glasnost, off topics", through),
        f"{'added':<44}" + "".join(f" {each:8.3f}" for each in added),
        told("hold: deciding chunk to first token", found["hold"]),
    ]
    sys.stdout.write("\n".join([*lines, ""]))


if __name__ == "__main__":
    main()
