"""A step asked of its upstream: the request that the rung sends, its limits, and the help that it needs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

from glasnost.audit.audit import audit
from glasnost.errors import GlasnostError, RungFailed
from glasnost.pipeline.ladder import Step
from glasnost.pipeline.run import Run
from glasnost.pipeline.rungs.way import Ask
from glasnost.record.exchange import FIRST, Attempt
from glasnost.upstream.carried import carried, carrying
from glasnost.wire.answer import Chunk, Completion, answers_of
from glasnost.wire.chat import ChatRequest


async def ask(run: Run, step: Step) -> Completion:
    """Give the whole answer; a rung that takes longer than it may is a RungFailed."""
    try:
        async with asyncio.timeout(step.seconds):
            return await step.way.complete(_ask(run, step))
    except TimeoutError:
        raise _too_slow(step) from None


def ask_streamed(run: Run, step: Step) -> AsyncGenerator[Chunk]:
    """Give the answer chunk by chunk; the time of a rung is over when the client gets its first text."""
    chunks = step.way.stream(_ask(run, step))
    return chunks if step.seconds is None else _in_time(run, step, chunks)


async def _in_time(run: Run, step: Step, chunks: AsyncGenerator[Chunk]) -> AsyncGenerator[Chunk]:
    clock = asyncio.get_running_loop().time
    until = clock() + (step.seconds or 0.0)
    async with aclosing(chunks):
        while True:
            try:
                async with asyncio.timeout_at(None if run.released else until):
                    chunk = await anext(chunks, None)
            except TimeoutError:
                raise _too_slow(step) from None
            if chunk is None:
                return
            yield chunk


def _ask(run: Run, step: Step) -> Ask:
    async def helper(request: ChatRequest) -> Completion:
        return await _helped(run, step, request)

    return Ask(
        request=_request(run, step),
        upstream=step.upstream,
        helper=helper,
        censored=lambda completion: audit(run.policy, run.conversation, answers_of(completion)).censored,
        touches=lambda text: not run.topics or _names_one(run, text),
    )


def _request(run: Run, step: Step) -> ChatRequest:
    if step.rung == FIRST:
        return run.request.with_fields(model=step.model)
    return run.retried.with_fields(model=step.model, **_limited(run.request, step.max_tokens))


def _limited(request: ChatRequest, most: int | None) -> dict[str, int]:
    """Give the field that limits the answer; the client's own limit counts where it is lower."""
    if most is None:
        return {}
    name = "max_completion_tokens" if request.body.get("max_completion_tokens") else "max_tokens"
    own = request.body.get(name)
    return {name: min(own, most) if isinstance(own, int) else most}


def _names_one(run: Run, text: str) -> bool:
    return any(hit.topic_id in run.topics for hit in run.policy.topics_in_text(text, "prompt"))


async def _helped(run: Run, step: Step, request: ChatRequest) -> Completion:
    """Ask the model that helps a rung; the call is an attempt of its own, which is no answer to anybody."""
    assert step.helping is not None  # noqa: S101  # the steps are made with one where the way asks for it
    started = run.clock()
    model, upstreams = step.helping.model, step.helping.upstreams
    upstream = run.failover.choose(upstreams, frozenset(), step.helping.balance) or upstreams[0]
    run.failover.enter(upstream.name, upstreams)
    attempt = Attempt(step.rung, model, upstream.name, "cancelled", 0.0, purpose="translation")
    try:
        with carrying(carried()):  # what comes after it is of the attempt that it helps
            attempt = run.begin(attempt)
            completion = await upstream.complete(request.with_fields(model=model))
        attempt = replace(attempt, outcome="answered", usage=completion.get("usage"))
    except GlasnostError as error:
        attempt = replace(attempt, outcome="failed", error=error)
        raise
    finally:
        run.note(replace(attempt, seconds=run.clock() - started))
    return completion


def _too_slow(step: Step) -> RungFailed:
    return RungFailed(
        f"The rung {step.rung!r} gave no answer within its {step.seconds:g} seconds.", code="rung_too_slow"
    )
