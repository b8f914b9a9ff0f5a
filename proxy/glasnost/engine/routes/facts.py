"""What is served and how it is: `/v1/models`, `/props`, `/readyz` and `/livez`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from glasnost.engine.llama.metadata import build, metadata, sizes
from glasnost.engine.routes.request import Engine, authenticated, engine_of
from glasnost.engine.settings import EngineSettings
from glasnost.engine.template import CHATML


async def models(request: Request) -> Response:
    """List the one model, with its sizes."""
    engine = authenticated(request)
    model = {
        "id": engine.settings.name,
        "object": "model",
        "created": engine.created,
        "owned_by": "glasnost",
        "meta": sizes(engine.worker.model),
    }
    return JSONResponse({"object": "list", "data": [model]})


async def props(request: Request) -> Response:
    """Tell everything that does not change: the file, its metadata and template, what it runs on."""
    engine = authenticated(request)
    model = engine.worker.model
    return JSONResponse(
        {
            "model": {**_model(engine), **sizes(model)},
            "metadata": metadata(model),
            "chat_template": model.template or CHATML,
            "bos_token": model.special("bos"),
            "eos_token": model.special("eos"),
            "infill": model.infill() is not None,
            "generates": not engine.vectors.alone,
            "pooling": engine.vectors.pooling,
            "embedding_context": engine.vectors.longest,
            "total_slots": engine.settings.slots,
            "kv_size": engine.worker.context.size,
            "gpu_layers": engine.settings.gpu_layers,
            "batch": engine.worker.context.budget,
            **_adapters(engine.settings),
            "build": build(),
        }
    )


async def livez(_request: Request) -> Response:
    """Say that the process answers."""
    return JSONResponse({"status": "alive"})


async def readyz(request: Request) -> Response:
    """Say whether requests are answered, what is served and how busy it is; 503 when they are not."""
    engine = engine_of(request)
    settings, worker = engine.settings, engine.worker
    facts = {
        "status": "ready" if worker.alive else "stopped",
        "model": _model(engine),
        "slots": settings.slots,
        "busy": worker.scheduler.busy,
        "queued": worker.scheduler.queued,
        "queue_limit": settings.queue,
        "queue_wait": worker.waits.report(),
        "kv_used": worker.scheduler.cells_used,
        "kv_size": worker.context.size,
        # As loaded: where not all fitted, it is less than what was asked for.
        "gpu_layers": settings.gpu_layers,
        "batch": worker.context.budget,
        **asdict(worker.counters),
    }
    return JSONResponse(facts, 200 if worker.alive else 503)


def _adapters(settings: EngineSettings) -> dict[str, Any]:
    loras = [
        {"id": index, "name": lora.name, "file": lora.path.name, "scale": lora.scale}
        for index, lora in enumerate(settings.loras)
    ]
    vectors = [{"file": vector.path.name, "scale": vector.scale} for vector in settings.control_vectors]
    return {"lora": loras, "control_vectors": vectors, "control_vector_layers": settings.control_layers}


def _model(engine: Engine) -> dict[str, Any]:
    settings, worker = engine.settings, engine.worker
    return {
        "name": settings.name,
        "file": settings.path.name,
        "sha256": engine.fingerprint.sha256,
        "bytes": settings.path.stat().st_size,
        "description": worker.model.description,
        "context": worker.context.longest,
        "vocabulary": worker.model.vocabulary,
        "template_sha256": engine.prompter.template.sha256,
    }
