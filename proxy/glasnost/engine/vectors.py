"""Embeddings beside generation: jobs of a few tokens that the worker's thread does between its steps."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import cast

from glasnost.engine.adapters import Adapters
from glasnost.engine.embeddings import Job, Pooling, jobs
from glasnost.engine.llama.embedder import LONGEST, Embedder, Pool, slots_for
from glasnost.engine.llama.metadata import causal, pooling, sizes
from glasnost.engine.settings import EngineSettings
from glasnost.engine.worker import Worker
from glasnost.errors import InvalidRequest, QueueFull


class Vectors:
    """Embeds for all requests of an engine; the context for it is made at the first one, and stays.

    `longest` is the most tokens of an input, `width` the dimensions of a vector. `alone` is true for a model that
    gives nothing but vectors.
    """

    def __init__(self, worker: Worker, settings: EngineSettings) -> None:
        self.longest = min(worker.context.longest, LONGEST)
        self.width = sizes(worker.model)["n_embd"]
        self.pooling = pooling(worker.model) or "mean"
        self._worker = worker
        self._settings = settings
        self.alone = not causal(worker.model)
        # Half a chunk of a prompt: a job comes on top of a step that may hold a chunk, and streams must not feel it.
        # Where a token sees those behind it too, a text must be computed whole; such a model has no streams.
        self._batch = self.longest if self.alone else max(1, min(worker.context.chunk // 2, self.longest))
        self._embedder: Embedder | None = None
        self._turn = asyncio.Lock()
        self._waiting = 0

    async def embed(
        self, inputs: Sequence[Sequence[int]], wanted: Pooling | None, adapters: Adapters = ()
    ) -> list[list[float]]:
        """Give the vector of each input, not normalised; QueueFull when too many requests wait."""
        if wanted is None and self.pooling == "rank":
            problem = "`pooling` of this model is that of a reranker, which gives no embeddings; ask for another."
            raise InvalidRequest(problem, param="pooling")
        if self._waiting > self._settings.queue:
            raise QueueFull(f"{self._waiting} requests for embeddings are waiting.", retry_after=1)
        pools = [Pool(wanted or cast("Pooling", self.pooling)) for _ in inputs]
        self._waiting += 1
        try:
            for group in jobs(inputs, tokens=self._batch, slots=slots_for(self._batch)):
                # Requests take turns; what a long input left in the context must stay until its last job.
                async with self._turn:
                    for number, job in enumerate(group):
                        await self._compute(job, pools, adapters, fresh=number == 0)
        finally:
            self._waiting -= 1
        return [pool.vector() for pool in pools]

    async def _compute(self, job: Job, pools: Sequence[Pool], adapters: Adapters, *, fresh: bool) -> None:
        def compute() -> None:
            if self._embedder is None:
                self._embedder = Embedder(self._worker.model, self._settings, longest=self.longest, batch=self._batch)
            self._embedder.compute(job.spans, [pools[place] for place in job.inputs], adapters, fresh=fresh)

        await asyncio.wrap_future(self._worker.call(compute))

    def close(self) -> None:
        """Free the context; the worker's thread must have ended."""
        if self._embedder is not None:
            self._embedder.close()
