"""A unary request: ask, audit, decide; deliver, or take the next step of the ladder."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, replace

from glasnost.audit.audit import audit
from glasnost.audit.best import rank
from glasnost.audit.decide import Block, Deliver, Reroute, decide
from glasnost.audit.verdict import Verdict
from glasnost.errors import GlasnostError, UpstreamError
from glasnost.pipeline.asking import ask
from glasnost.pipeline.ladder import Step
from glasnost.pipeline.run import Run
from glasnost.pipeline.timing import excerpt, timed
from glasnost.pipeline.tokens import estimated_usage
from glasnost.policy.label import Action
from glasnost.record.exchange import Attempt, Exchange
from glasnost.upstream.heard import listen
from glasnost.wire.answer import Completion, answers_of

WITHHELD = "This answer was withheld by policy."


@dataclass(frozen=True, slots=True)
class Candidate:
    """An answer that was audited, with the step that gave it and the headers that came with it."""

    step: Step
    completion: Completion
    verdict: Verdict
    headers: dict[str, str]


async def complete(run: Run) -> tuple[Completion, Exchange]:
    """Serve one request; raises the first error when no step gave an answer at all."""
    run.opened()
    try:
        completion, exchange = await _climb(run)
    except GlasnostError:
        await run.closed(run.exchange("failed", Action.PASS, ""))
        raise
    except BaseException:
        await run.closed(run.exchange(run.unfinished(), Action.PASS, ""))
        raise
    await run.closed(exchange)
    return completion, exchange


async def _climb(run: Run) -> tuple[Completion, Exchange]:
    candidates: list[Candidate] = []
    while (step := run.take_step()) is not None:
        async with aclosing(_ask(run, step)) as answers:
            async for candidate in answers:
                if candidate is None:
                    continue
                decision = decide(candidate.verdict, rungs_left=run.may_reroute(candidate.step), released=0)
                if isinstance(decision, Reroute):
                    candidates.append(candidate)
                    continue
                await run.claim(candidate.step)
                if isinstance(decision, Deliver):
                    return _deliver(run, candidate, run.action_for(candidate.step))
                if isinstance(decision, Block):
                    return _block(run, candidate)
                return _deliver(run, best([*candidates, candidate]), Action.FLAG)
    if not candidates:
        raise run.failure()
    chosen = best(candidates)
    return _block(run, chosen) if chosen.verdict.otherwise is Action.BLOCK else _deliver(run, chosen, Action.FLAG)


async def _ask(run: Run, step: Step) -> AsyncGenerator[Candidate | None]:
    """Ask one upstream, or two at once where there is a race; None stands for one that failed."""
    rival = run.take_rival(step)
    if rival is None or run.race is None:
        yield await _attempt(run, step)
        return
    contenders = {each.key: _attempt(run, each) for each in (step, rival)}
    async with aclosing(run.race.as_they_come(contenders)) as answers:
        async for answer in answers:
            yield answer


def best(candidates: list[Candidate]) -> Candidate:
    """Choose among censored answers, in the order in which they came."""
    return min(candidates, key=lambda candidate: rank(candidate.verdict))


async def _attempt(run: Run, step: Step) -> Candidate | None:
    """Ask one upstream and audit what it said; None when it failed and another may still answer."""
    try:
        return await _answer(run, step)
    except GlasnostError as error:
        if not run.survives(error, step):
            raise
        return None


async def _answer(run: Run, step: Step) -> Candidate:
    """Ask one upstream and audit what it said; the attempt is noted whatever happens."""
    started = run.clock()
    headers = listen()
    attempt = run.begin(Attempt(step.rung, step.model, step.upstream.name, "cancelled", 0.0))
    try:
        completion = await ask(run, step)
        answers = answers_of(completion)
        if not answers:
            raise UpstreamError(f"The upstream {step.upstream.name!r} sent an answer without choices.")
        since = run.clock() - started
        attempt = replace(attempt, outcome="answered", usage=completion.get("usage"), answers=answers)
        attempt = replace(attempt, excerpt=excerpt(answers))
        verdict, spent = timed(lambda: audit(run.policy, run.conversation, answers, asked=run.topics))
        attempt = replace(attempt, seconds=since, audit_seconds=spent, first_token=since)
        settled = await run.settle(verdict, answers, step.model)
        attempt = replace(attempt, verdict=settled.verdict, consulted=settled.consulted)
    except GlasnostError as error:
        attempt = replace(attempt, outcome="failed", error=error)
        raise
    except asyncio.CancelledError:
        usage = attempt.usage or estimated_usage(run.conversation, attempt.answers)
        attempt = replace(attempt, outcome="cancelled", usage=usage)
        raise
    finally:
        run.note(replace(attempt, seconds=attempt.seconds or run.clock() - started))
    return Candidate(step, completion, settled.verdict, headers)


def _deliver(run: Run, candidate: Candidate, action: Action) -> tuple[Completion, Exchange]:
    run.first_token = run.clock() - run.started
    run.heard = candidate.headers
    exchange = run.exchange("served", action, candidate.step.model)
    return {**candidate.completion, "model": candidate.step.model}, exchange


def _block(run: Run, candidate: Candidate) -> tuple[Completion, Exchange]:
    message = {"role": "assistant", "content": None, "refusal": WITHHELD}
    choices = [
        {"index": index, "message": message, "logprobs": None, "finish_reason": "content_filter"}
        for index in range(len(candidate.completion["choices"]))
    ]
    completion = {**candidate.completion, "model": candidate.step.model, "choices": choices}
    return completion, run.exchange("blocked", Action.BLOCK, "")
