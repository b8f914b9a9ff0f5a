"""The supervisor over real child processes that stand in for an engine."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from glasnost.config import HttpUpstream
from glasnost.errors import UpstreamUnavailable
from glasnost.upstream.http import HttpServer
from glasnost.upstream.supervisor import Keeping, Supervisor

STAND_IN = Path(__file__).with_name("stand_in.py")


class Anywhere:
    """A place with room for everybody."""

    def __init__(self, *command: str) -> None:
        self.command = command

    async def enter(self) -> tuple[str, ...]:
        return self.command

    def leave(self) -> None:
        pass


@asynccontextmanager
async def supervised(
    folder: Path, *modes: str, start_seconds: float = 20.0, **keeping: Any
) -> AsyncIterator[Supervisor]:
    socket = folder / "s"
    server = HttpServer("engine", HttpUpstream(kind="http", base_url="http://engine/v1", uds=str(socket)))
    place = Anywhere(sys.executable, "-S", str(STAND_IN), str(socket), *modes)

    async def probe() -> Any:
        return await server.get("/readyz", seconds=2)

    supervisor = Supervisor("engine", Keeping(start_seconds=start_seconds, **keeping), place, probe)
    try:
        yield supervisor
    finally:
        await supervisor.aclose()
        await server.aclose()


async def until(condition: Callable[[], bool], seconds: float = 15.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - a process has no event to wait for
            await asyncio.sleep(0.02)


def running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def run(test: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(test())  # type: ignore[arg-type]  a coroutine function's result is a coroutine


def test_an_engine_starts_when_it_is_first_needed(tmp_path):
    async def test() -> None:
        async with supervised(tmp_path) as supervisor:
            supervisor.start()
            assert (supervisor.pid, supervisor.loaded, supervisor.ready()) == (None, False, True)
            async with supervisor.lease():
                assert supervisor.loaded
                assert supervisor.stats["kv_used"] == 3
                assert supervisor.load_seconds is not None
                pid = supervisor.pid
                assert pid is not None
        assert not running(pid)

    run(test)


def test_requests_during_a_start_wait_for_one_and_the_same_engine(tmp_path):
    async def test() -> None:
        async with supervised(tmp_path, "slow=0.5") as supervisor:

            async def pid() -> int | None:
                async with supervisor.lease():
                    return supervisor.pid

            assert len(set(await asyncio.gather(*(pid() for _ in range(5))))) == 1

    run(test)


def test_a_request_that_is_cancelled_while_it_waits_does_not_stop_the_start(tmp_path):
    async def test() -> None:
        async with supervised(tmp_path, "slow=0.5") as supervisor:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.2), supervisor.lease():
                    pass
            async with supervisor.lease():
                assert supervisor.loaded

    run(test)


def test_a_pinned_engine_starts_by_itself_and_is_ready_once_it_is_loaded(tmp_path):
    async def test() -> None:
        async with supervised(tmp_path, "slow=0.3", pinned=True, idle_seconds=0.2) as supervisor:
            supervisor.start()
            assert not supervisor.ready()
            await until(supervisor.ready)
            pid = supervisor.pid
            await asyncio.sleep(0.8)
            assert supervisor.pid == pid

    run(test)


def test_an_idle_engine_is_unloaded_and_comes_back(tmp_path):
    async def test() -> None:
        async with supervised(tmp_path, idle_seconds=0.3) as supervisor:
            async with supervisor.lease():
                first = supervisor.pid
                assert first is not None
                await asyncio.sleep(0.8)
                assert supervisor.pid == first, "it was in use"
            await until(lambda: not running(first))
            assert (supervisor.loaded, supervisor.restarts, supervisor.ready()) == (False, 0, True)
            async with supervisor.lease():
                assert supervisor.pid not in (None, first)

    run(test)


def test_a_killed_engine_is_restarted_and_the_next_request_waits_for_it(tmp_path):
    async def test() -> None:
        async with supervised(tmp_path) as supervisor:
            async with supervisor.lease() as life:
                first = supervisor.pid
                assert first is not None
                os.kill(first, signal.SIGKILL)
                await life.over(5)
            began = time.monotonic()
            async with supervisor.lease():
                assert supervisor.pid not in (None, first)
            assert supervisor.restarts == 1
            assert time.monotonic() - began >= 0.4, "there is a pause before the restart"

    run(test)


def test_an_engine_that_cannot_start_fails_its_waiters_fast_and_says_when_to_retry(tmp_path):
    async def test() -> None:
        async with supervised(tmp_path, "fail") as supervisor:
            for _ in range(2):
                with pytest.raises(UpstreamUnavailable, match="exited with status 3") as caught:
                    async with supervisor.lease():
                        pass
                assert caught.value.retry_after == 1
                assert "broken" not in str(caught.value), "what it printed is for the log"
            assert not supervisor.ready()

    run(test)


def test_an_engine_that_is_never_ready_is_ended(tmp_path):
    async def test() -> None:
        async with supervised(tmp_path, "deaf", start_seconds=1.0) as supervisor:
            with pytest.raises(UpstreamUnavailable, match=r"not ready|still starting"):
                async with supervisor.lease():
                    pass
            await until(lambda: not supervisor.ready())
            assert supervisor.pid is None

    run(test)


def test_an_engine_that_hangs_is_replaced(tmp_path):
    async def test() -> None:
        async with supervised(tmp_path, idle_seconds=None, hung_seconds=1.0) as supervisor:
            async with supervisor.lease() as life:
                first = supervisor.pid
                assert first is not None
                os.kill(first, signal.SIGSTOP)
                await life.over(20)
            async with supervisor.lease():
                assert supervisor.pid not in (None, first)
            assert not running(first)

    run(test)


def test_after_the_end_no_engine_is_started(tmp_path):
    async def test() -> None:
        async with supervised(tmp_path) as supervisor:
            await supervisor.aclose()
            with pytest.raises(UpstreamUnavailable, match="shutting down"):
                async with supervisor.lease():
                    pass
            assert not supervisor.ready()

    run(test)


def test_a_start_can_be_ended_half_way(tmp_path):
    async def test() -> None:
        async with supervised(tmp_path, "slow=30", pinned=True) as supervisor:
            supervisor.start()
            await until(lambda: supervisor.pid is not None)
            pid = supervisor.pid
            assert pid is not None
            await supervisor.aclose()
            assert not running(pid)

    run(test)


def test_an_engine_that_is_being_stopped_when_the_gateway_closes_is_gone_afterwards(tmp_path):
    stubborn = (
        "import signal, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "open(sys.argv[1], 'w').close()\n"
        "time.sleep(60)\n"
    )
    started = tmp_path / "started"

    async def probe():
        return {} if started.exists() else None

    async def scenario() -> int:
        place = Anywhere(sys.executable, "-S", "-c", stubborn, str(started))
        supervisor = Supervisor("engine", Keeping(start_seconds=20.0, idle_seconds=0.1), place, probe)
        async with supervisor.lease():
            pid = supervisor.pid
        assert pid is not None
        await until(lambda: not supervisor.loaded)  # unloaded for idleness: it is asked to end, and does not
        await supervisor.aclose()
        return pid

    pid = asyncio.run(scenario())
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
