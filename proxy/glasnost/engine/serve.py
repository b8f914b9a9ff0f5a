"""The process of an engine: load the model, serve it on a socket, end cleanly."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import stat
import time
from pathlib import Path

import uvicorn

from glasnost.engine.app import create_app
from glasnost.engine.facts import Fingerprint
from glasnost.engine.gguf import read_gguf
from glasnost.engine.layout import layout_of
from glasnost.engine.llama import Context, LlamaCpp, Model
from glasnost.engine.loading import load
from glasnost.engine.parent import end_with
from glasnost.engine.prompt import Prompter
from glasnost.engine.refusals import Refusals
from glasnost.engine.routes.request import Engine
from glasnost.engine.settings import EngineSettings
from glasnost.engine.template import CHATML, ChatTemplate
from glasnost.engine.vectors import Vectors
from glasnost.engine.worker import Worker

log = logging.getLogger("glasnost.engine")

#: Seconds that running requests may go on after SIGTERM; then they get an error.
GRACE = 30.0
# A client reuses a connection for up to a minute; ours must not be the side that closes it just then.
_KEEP_ALIVE = 75


def run(settings: EngineSettings) -> int:
    """Serve until SIGTERM and give the exit status: 0 when asked to end, 1 when the worker died.

    A model that cannot be loaded is a ModelFileError, an address that cannot be bound an OSError.
    """
    if settings.parent is not None:
        end_with(settings.parent)
    listener = _listen(settings)
    try:
        model, context, settings = _load(settings)
        # uvloop where it is there, on every Python that we support.
        with asyncio.Runner(loop_factory=uvicorn.Config("", log_config=None).get_loop_factory()) as runner:
            return runner.run(_serve(settings, model, context, listener))
    finally:
        listener.close()
        if settings.uds is not None:
            settings.uds.unlink(missing_ok=True)


class _Server(uvicorn.Server):
    """A server that lets running requests end first, and then gives those that remain an error."""

    def __init__(self, config: uvicorn.Config, worker: Worker) -> None:
        super().__init__(config)
        self._worker = worker

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        late = asyncio.get_running_loop().call_later(GRACE, self._worker.stop)
        try:
            await super().shutdown(sockets)
        finally:
            late.cancel()


def _load(settings: EngineSettings) -> tuple[Model, Context, EngineSettings]:
    """Load the model, as much of it on GPUs as fits; give it with the settings in effect."""
    started = time.monotonic()
    layers = len(layout_of(read_gguf(settings.path)).layers) + 1
    model, context, settings = load(LlamaCpp(layers), settings)
    took = time.monotonic() - started
    log.info("loaded %s, %s of %d layers on GPUs, in %.1f s", model.description, settings.gpu_layers, layers, took)
    return model, context, settings


async def _serve(settings: EngineSettings, model: Model, context: Context, listener: socket.socket) -> int:
    source, file = model.template or CHATML, settings.path.name
    template = ChatTemplate(source, model=file, bos=model.special("bos"), eos=model.special("eos"))
    prompter = Prompter(template, model, longest=context.longest, longest_piece=model.longest_piece())
    worker = Worker(model, context, settings)
    vectors = Vectors(worker, settings)
    fingerprint = Fingerprint(settings.path)
    fingerprint.start()
    app = create_app(
        Engine(settings, worker, prompter, vectors, Refusals(model), fingerprint, created=int(time.time()))
    )
    config = uvicorn.Config(
        app,
        http="httptools",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE,
        timeout_graceful_shutdown=int(GRACE) + 5,
    )
    server = _Server(config, worker)
    # uvicorn raises the signal that ended it once more; without a handler that would be the end of this function.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    worker.start()
    try:
        return await _until_ended(server, worker, listener)
    finally:
        worker.close()
        vectors.close()
        model.close()


async def _until_ended(server: _Server, worker: Worker, listener: socket.socket) -> int:
    serving = asyncio.create_task(server.serve([listener]))
    ended = asyncio.create_task(worker.ended.wait())
    await asyncio.wait({serving, ended}, return_when=asyncio.FIRST_COMPLETED)
    died = not server.should_exit
    server.should_exit = True
    await serving
    ended.cancel()
    return int(died)


def _listen(settings: EngineSettings) -> socket.socket:
    """Bind before the model is loaded: an address in use is known at once. Connections are accepted afterwards."""
    if settings.uds is None:
        family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((settings.host, settings.port))
        return listener
    _remove_stale(settings.uds)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    mask = os.umask(0o177)  # the socket asks for no key: it is for its owner only
    try:
        listener.bind(str(settings.uds))
    finally:
        os.umask(mask)
    return listener


def _remove_stale(path: Path) -> None:
    """Remove a socket that nobody listens on any more; anything else in its place stays, and binding fails."""
    if not path.exists() or not stat.S_ISSOCK(path.stat().st_mode):
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        if probe.connect_ex(str(path)) != 0:
            path.unlink()
