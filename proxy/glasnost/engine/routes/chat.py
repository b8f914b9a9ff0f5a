"""`/v1/chat/completions`, and `/apply-template`, which shows the prompt that a chat becomes."""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp

from glasnost.engine.answer import Chunks, Tally, Whole
from glasnost.engine.chat import prepare
from glasnost.engine.respond import StreamedAnswer, WholeAnswer
from glasnost.engine.routes.request import posted
from glasnost.engine.tokens import text_of
from glasnost.wire.chat import ChatRequest


async def chat(request: Request) -> ASGIApp:
    """Continue a conversation."""
    engine, body = await posted(request)
    asked = ChatRequest.parse(body)
    engine.check_generates(asked.model)
    adapters = engine.adapters(body)
    vocabulary, slots = engine.worker.model.vocabulary, engine.settings.slots
    job = await asyncio.to_thread(prepare, asked, engine.prompter, vocabulary=vocabulary, slots=slots)
    watch = await engine.watch(job.output.thinking) if job.signals else None
    ticket = engine.worker.submit(job.prompt.tokens, job.sampling, job.choices, adapters=adapters, watch=watch)
    frame = engine.frame("chatcmpl")
    tally = Tally(len(job.prompt.tokens), job.choices)
    if not asked.stream:
        return WholeAnswer(ticket, Whole(frame, tally, job.output, choices=job.choices), tally)
    chunks = Chunks(frame, tally, job.output, choices=job.choices, include_usage=asked.include_usage)
    return StreamedAnswer(ticket, chunks, tally)


async def apply_template(request: Request) -> Response:
    """Give the prompt that the messages become, and count its tokens; a `model` may be left out."""
    engine, body = await posted(request)
    asked = ChatRequest.parse({"model": engine.settings.name, **body})
    engine.check_model(asked.model)
    model = engine.worker.model
    job = await asyncio.to_thread(
        prepare, asked, engine.prompter, vocabulary=model.vocabulary, slots=engine.settings.slots
    )
    return JSONResponse({"prompt": text_of(job.prompt.tokens, model), "tokens": len(job.prompt.tokens)})
