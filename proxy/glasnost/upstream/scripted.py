"""An upstream that plays a script (see `script`): answers, delays and faults for tests, demos and dry runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from typing import Any

from glasnost.config import TimeoutSettings
from glasnost.errors import UpstreamError, UpstreamRejected, UpstreamUnavailable
from glasnost.upstream.phases import PhaseClock
from glasnost.upstream.script import Fault, Rule, Script
from glasnost.wire.answer import Chunk, Completion
from glasnost.wire.chat import ChatRequest
from glasnost.wire.chunk import Frame


class ScriptPlayer:
    """Answers as upstream `name`; calls are counted from 1, whichever rule answers; all `n` choices are alike."""

    def __init__(self, name: str, script: Script, timeouts: TimeoutSettings | None = None) -> None:
        self._name = name
        self._script = script
        self._timeouts = timeouts or TimeoutSettings()
        self._calls = 0

    @property
    def name(self) -> str:
        """The upstream's name in the configuration."""
        return self._name

    def ready(self) -> bool:
        """Say yes: a script is always there."""
        return True

    async def start(self) -> None:
        """Do nothing: there is nothing to bring up."""

    async def complete(self, request: ChatRequest) -> Completion:
        """Answer in one piece, in the time that the chunks would take."""
        rule, frame = self._next(request)
        clock = PhaseClock(self._name, self._timeouts, streamed=False)
        async for _ in self._paced(rule, _deltas(rule), clock):
            pass
        message: dict[str, Any] = {"role": "assistant", "content": "".join(rule.pieces) or None}
        if rule.reasoning is not None:
            message["reasoning_content"] = rule.reasoning
        if rule.tool_calls:
            message["tool_calls"] = _calls(rule)
        logprobs = _logprobs(request, rule.pieces)
        choices = [
            {"index": index, "message": message, "logprobs": logprobs, "finish_reason": rule.finish_reason}
            for index in range(request.n)
        ]
        return {**frame.bare(choices), "object": "chat.completion", "usage": _usage(rule)}

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Chunk]:
        """Answer chunk by chunk."""
        rule, frame = self._next(request)
        clock = PhaseClock(self._name, self._timeouts, streamed=True)
        for index in range(request.n):
            yield frame.chunk({"role": "assistant", "content": ""}, index=index)
        async with aclosing(self._paced(rule, _deltas(rule), clock)) as deltas:
            async for delta in deltas:
                clock.first_token()
                logprobs = _logprobs(request, [delta["content"]]) if "content" in delta else None
                for index in range(request.n):
                    yield frame.chunk(delta, index=index, logprobs=logprobs)
                clock.restart()
        for index in range(request.n):
            yield frame.chunk({}, index=index, finish_reason=rule.finish_reason)
        yield frame.usage(_usage(rule))

    async def aclose(self) -> None:
        """Do nothing: a script holds nothing open."""

    def _next(self, request: ChatRequest) -> tuple[Rule, Frame]:
        self._calls += 1
        rule = self._script.rule_for(request, self._calls)
        if rule is None:
            raise UpstreamError(f"The script {self._name!r} has no rule for this request.")
        if rule.fault is not None and rule.fault.status is not None:
            fault = rule.fault
            said = fault.error.get("message")
            message = said if isinstance(said, str) else f"The script {self._name!r} answers with HTTP {fault.status}."
            raise UpstreamRejected(message, status=rule.fault.status, error=fault.error, retry_after=fault.retry_after)
        return rule, Frame(f"chatcmpl-script-{self._calls}", 0, request.model)

    async def _paced(
        self, rule: Rule, deltas: Iterator[dict[str, Any]], clock: PhaseClock
    ) -> AsyncGenerator[dict[str, Any]]:
        """Give the deltas with their delays, and the fault in its place."""
        for count, delta in enumerate([*deltas, None]):
            await self._suffer(rule.fault, count, clock, last=delta is None)
            if delta is not None:
                await clock.wait(asyncio.sleep(rule.delay if count else rule.first_delay))
                yield delta

    async def _suffer(self, fault: Fault | None, count: int, clock: PhaseClock, *, last: bool) -> None:
        """Cut or hang where the fault says so after `count` chunks, at the latest when there are no more."""
        if fault is None:
            return
        if fault.cut_after is not None and (last or fault.cut_after == count):
            raise UpstreamUnavailable(f"The script {self._name!r} cut its answer off.", retry_after=1)
        if fault.hang_after is not None and (last or fault.hang_after == count):
            await clock.wait(asyncio.Event().wait())


def _deltas(rule: Rule) -> Iterator[dict[str, Any]]:
    if rule.reasoning is not None:
        yield {"reasoning_content": rule.reasoning}
    for piece in rule.pieces:
        yield {"content": piece}
    for index, call in enumerate(_calls(rule)):
        yield {"tool_calls": [{"index": index, **call}]}


def _calls(rule: Rule) -> list[dict[str, Any]]:
    return [
        {"id": f"call_{index}", "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
        for index, call in enumerate(rule.tool_calls)
    ]


def _logprobs(request: ChatRequest, pieces: Sequence[str]) -> dict[str, Any] | None:
    """Give log probabilities where they are asked for: every piece is a token, and certain."""
    if not request.body.get("logprobs"):
        return None
    certain = [{"token": piece, "logprob": 0.0, "bytes": list(piece.encode())} for piece in pieces]
    top = bool(request.body.get("top_logprobs"))
    return {"content": [{**each, "top_logprobs": [each] if top else []} for each in certain], "refusal": None}


def _usage(rule: Rule) -> dict[str, Any]:
    return {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0, **rule.usage}
