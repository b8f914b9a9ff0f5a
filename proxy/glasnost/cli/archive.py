"""Rows of an archive of answers: a line of JSON in, its verdict as a line of JSON out.

A row has `prompt` (or `messages`) and `response`, and may have `reasoning`, `finish_reason` and `id`; other fields are
not read. Rows are judged in batches, in this process or in several, and come out in the order in which they went in.
"""

from __future__ import annotations

import multiprocessing
import signal
import time
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import IO, Any

from glasnost.audit.audit import audit
from glasnost.cli.load import load_policy
from glasnost.errors import GlasnostError, InvalidRequest
from glasnost.policy.policy import Policy
from glasnost.wire.answer import Answer
from glasnost.wire.chat import ChatRequest
from glasnost.wire.conversation import Conversation
from glasnost.wire.jsonio import dumps, loads_object

LONGEST_LINE = 64 << 20  # bytes; what is longer is no row
_BATCH = 32  # rows
_BATCH_BYTES = 1 << 20
_AHEAD = 4  # batches that wait for each process

Line = tuple[int, bytes]  # its number, from 1, and its bytes; what is too long is cut


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of one line: its row, or what is wrong with it."""

    number: int
    row: bytes | None
    problem: str = ""
    censored: bool = False


def read_lines(file: IO[bytes], first: int = 1) -> Iterator[Line]:
    """Give the lines that hold something, numbered from `first`; of one that is too long only the start is kept."""
    number = first - 1
    while line := file.readline(LONGEST_LINE + 1):
        number += 1
        rest = line
        while len(rest) > LONGEST_LINE and not rest.endswith(b"\n"):
            rest = file.readline(LONGEST_LINE + 1)
        if line.strip():
            yield number, line


def judge_lines(
    lines: Iterable[Line], packs: tuple[str, ...], workers: int, *, on_topic: bool
) -> Iterator[list[Judged]]:
    """Judge lines batch by batch, in order, reading only a little ahead.

    Raises PolicyError for a pack that cannot be read, and BrokenProcessPool when a process was killed.
    """
    judge = Judge(load_policy(packs), on_topic=on_topic)
    batches = _batches(lines)
    if workers == 1:
        yield from map(judge.batch, batches)
        return
    # Not forked: the libraries that an audit loads may have started threads.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, _start, (packs, on_topic)) as pool:
        waiting: deque[Future[list[Judged]]] = deque()
        try:
            for batch in batches:
                waiting.append(pool.submit(_judge_batch, batch))
                if len(waiting) >= workers * _AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


class Judge:
    """A policy, and how rows are judged by it."""

    def __init__(self, policy: Policy, *, on_topic: bool) -> None:
        self._policy = policy
        self._on_topic = on_topic
        # What is compiled at the first audit must not count as time of the first row.
        self._audit(Conversation.ask("?"), Answer("OK. 好。", finish_reason="stop"))

    def batch(self, lines: list[Line]) -> list[Judged]:
        """Judge some lines."""
        return [self._line(number, line) for number, line in lines]

    def _line(self, number: int, line: bytes) -> Judged:
        if len(line) > LONGEST_LINE:
            return Judged(number, None, f"is longer than {LONGEST_LINE >> 20} MiB")
        try:
            row = loads_object(line)
            conversation, answer = _conversation(row), _answer(row)
        except InvalidRequest as error:
            return Judged(number, None, str(error))
        except (GlasnostError, AttributeError, TypeError) as error:
            return Judged(number, None, f"cannot be read: {error}")
        began = time.perf_counter_ns()
        verdict = self._audit(conversation, answer)
        micros = (time.perf_counter_ns() - began) // 1000
        written = {"id": row.get("id", number), **verdict.as_dict(), "micros": micros}
        return Judged(number, dumps(written) + b"\n", censored=verdict.censored)

    def _audit(self, conversation: Conversation, answer: Answer) -> Any:
        return audit(self._policy, conversation, answer, on_topic=self._on_topic)


_judges: list[Judge] = []  # the one of this process


def _start(packs: tuple[str, ...], on_topic: bool) -> None:  # noqa: FBT001  # the pool passes arguments by position
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that reads the file ends the others
    _judges.append(Judge(load_policy(packs), on_topic=on_topic))


def _judge_batch(lines: list[Line]) -> list[Judged]:
    return _judges[0].batch(lines)


def _batches(lines: Iterable[Line]) -> Iterator[list[Line]]:
    remaining = iter(lines)
    while batch := list(islice(_until(remaining, _BATCH_BYTES), _BATCH)):
        yield batch


def _until(lines: Iterator[Line], size: int) -> Iterator[Line]:
    """Give lines until they hold so many bytes."""
    for number, line in lines:
        yield number, line
        size -= len(line)
        if size <= 0:
            return


def _conversation(row: dict[str, Any]) -> Conversation:
    if row.get("messages") is not None:
        return ChatRequest.parse({"model": "archive", "messages": row["messages"]}).conversation
    return Conversation.ask(_text(row, "prompt"))


def _answer(row: dict[str, Any]) -> Answer:
    return Answer(
        content=_text(row, "response"),
        reasoning=_text(row, "reasoning", optional=True),
        finish_reason=_text(row, "finish_reason", optional=True) or None,
    )


def _text(row: dict[str, Any], name: str, *, optional: bool = False) -> str:
    value = row.get(name)
    if value is None and optional:
        return ""
    if not isinstance(value, str):
        raise InvalidRequest(f"`{name}` must be a string." if name in row else f"There is no `{name}`.", param=name)
    return value
