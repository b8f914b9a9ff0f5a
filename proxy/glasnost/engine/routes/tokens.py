"""`/tokenize` and `/detokenize`, in llama-server's shapes."""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from glasnost.engine.routes.request import posted
from glasnost.engine.tokens import detokenized, tokenized


async def tokenize(request: Request) -> Response:
    """Give the tokens of a text."""
    engine, body = await posted(request)
    return JSONResponse(await asyncio.to_thread(tokenized, body, engine.worker.model))


async def detokenize(request: Request) -> Response:
    """Give the text of tokens."""
    engine, body = await posted(request)
    return JSONResponse(await asyncio.to_thread(detokenized, body, engine.worker.model))
