"""All upstreams together."""

from __future__ import annotations

import asyncio
import socket

import pytest

from glasnost.config import HttpUpstream
from glasnost.errors import UpstreamUnavailable
from glasnost.upstream.http import HttpServer
from glasnost.upstream.registry import Registry
from glasnost.upstream.script import parse_script
from glasnost.upstream.scripted import ScriptPlayer
from loopback import ask


class Stubborn(ScriptPlayer):
    async def aclose(self) -> None:
        raise RuntimeError("it will not stop")


def script(name: str, kind: type[ScriptPlayer] = ScriptPlayer) -> ScriptPlayer:
    return kind(name, parse_script("rules: [{text: x}]", name))


def test_upstreams_that_cannot_answer_are_named():
    async def run() -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
            down = HttpServer("down", HttpUpstream(kind="http", base_url=url))
            registry = Registry({"up": script("up"), "down": down})
            await registry.start()
            assert registry.waiting_for() == []
            with pytest.raises(UpstreamUnavailable):
                await down.complete(ask())
            assert registry.waiting_for() == ["down"]
            await registry.aclose()

    asyncio.run(run())


def test_one_that_does_not_stop_keeps_no_other_running():
    closed = []

    class Noted(ScriptPlayer):
        async def aclose(self) -> None:
            closed.append(self.name)

    registry = Registry({"a": script("a", Stubborn), "b": script("b", Noted)})
    with pytest.raises(RuntimeError, match="will not stop"):
        asyncio.run(registry.aclose())
    assert closed == ["b"]
