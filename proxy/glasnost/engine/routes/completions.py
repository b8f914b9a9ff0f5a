"""`/v1/completions`: bare text is continued, or filled in."""

from __future__ import annotations

import asyncio
from functools import partial

from starlette.requests import Request
from starlette.types import ASGIApp

from glasnost.engine.answer import Tally
from glasnost.engine.completion_answer import TextChunks, WholeText
from glasnost.engine.completions import prepare
from glasnost.engine.reasoning import NO_THINKING
from glasnost.engine.respond import StreamedAnswer, WholeAnswer
from glasnost.engine.routes.request import posted
from glasnost.engine.series import Series
from glasnost.engine.tokens import Room


async def completions(request: Request) -> ASGIApp:
    """Continue each prompt `n` times."""
    engine, body = await posted(request)
    adapters = engine.adapters(body)
    worker, prompter, slots = engine.worker, engine.prompter, engine.settings.slots
    room = Room(prompter.longest, prompter.longest_piece)
    job = await asyncio.to_thread(prepare, body, worker.model, room, slots)
    engine.check_generates(job.model)
    watch = await engine.watch(NO_THINKING) if job.signals else None
    submit = partial(worker.submit, sampling=job.sampling, choices=job.n, adapters=adapters, watch=watch)
    submits = [partial(submit, prompt) for prompt in job.prompts]
    ticket = Series(submits, each=job.n, room=slots)
    openings = [echo for echo in job.echoes for _ in range(job.n)]
    frame = engine.frame("cmpl")
    tally = Tally(sum(map(len, job.prompts)), len(openings), prompts=len(job.prompts))
    if not job.stream:
        return WholeAnswer(ticket, WholeText(frame, tally, openings), tally)
    return StreamedAnswer(ticket, TextChunks(frame, tally, openings, include_usage=job.include_usage), tally)
