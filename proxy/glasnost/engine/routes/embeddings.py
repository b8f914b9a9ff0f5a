"""`/v1/embeddings`: a vector for each text."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.requests import Request
from starlette.types import ASGIApp

from glasnost.engine.embeddings import EmbeddingRequest, check_total, embedding_list
from glasnost.engine.respond import ComputedAnswer
from glasnost.engine.routes.request import Engine, posted
from glasnost.engine.tokens import Room, within


async def embeddings(request: Request) -> ASGIApp:
    """Embed each input."""
    engine, body = await posted(request)
    vocabulary, width = engine.worker.model.vocabulary, engine.vectors.width
    asked = EmbeddingRequest.parse(body, vocabulary=vocabulary, width=width)
    engine.check_model(asked.model)
    adapters = engine.adapters(body)
    inputs = await asyncio.to_thread(_tokens, engine, asked)
    tokens = check_total(inputs)

    async def answer() -> dict[str, Any]:
        vectors = await engine.vectors.embed(inputs, asked.pooling, adapters)
        return await asyncio.to_thread(embedding_list, asked, vectors, tokens)

    return ComputedAnswer(answer)


def _tokens(engine: Engine, asked: EmbeddingRequest) -> list[tuple[int, ...]]:
    # Nothing is generated behind an input: it may fill the context.
    room = Room(engine.vectors.longest, engine.prompter.longest_piece, spare=0)
    return [within(item, engine.worker.model, room, "input") for item in asked.inputs]
