"""Embeddings beside generation: who waits, who is refused, and what stays in the context."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from glasnost.engine.llama import Context
from glasnost.engine.llama.embedder import Embedder, Pool, slots_for
from glasnost.engine.settings import EngineSettings
from glasnost.engine.step import Span
from glasnost.engine.vectors import Vectors
from glasnost.engine.worker import Worker
from glasnost.errors import InvalidRequest, Overloaded, QueueFull

pytestmark = pytest.mark.model


@contextlib.asynccontextmanager
async def running(model, path, queue=8):
    settings = EngineSettings(path=path, name="m", slots=2, context=512, queue=queue, threads=1)
    worker = Worker(model, Context(model, settings), settings)
    worker.start()
    vectors = Vectors(worker, settings)
    try:
        yield vectors, worker
    finally:
        worker.close()
        vectors.close()


def test_requests_that_take_turns_leave_each_other_alone(model, smollm_path):
    long, short = [list(range(500, 650))], [[7, 8]] * 3

    async def run():
        async with running(model, smollm_path) as (vectors, _):
            alone = [(await vectors.embed(inputs, "mean"))[0] for inputs in (long, short)]
            together = await asyncio.gather(*(vectors.embed(inputs, "mean") for inputs in (long, short, long)))
            return alone, together

    (long_alone, short_alone), (first, second, third) = asyncio.run(run())
    assert first[0] == third[0] == pytest.approx(long_alone)
    assert second[0] == pytest.approx(short_alone, abs=1e-3)


def test_more_requests_than_the_queue_holds_are_refused(model, smollm_path):
    async def run():
        async with running(model, smollm_path, queue=1) as (vectors, _):
            found = await asyncio.gather(*(vectors.embed([[5]], None) for _ in range(4)), return_exceptions=True)
            return found, await vectors.embed([[5]], None)

    found, after = asyncio.run(run())
    assert [isinstance(each, QueueFull) for each in found] == [False, False, True, True]
    assert after == found[0]


def test_a_reranker_is_asked_for_another_way_of_pooling(model, smollm_path):
    async def run():
        async with running(model, smollm_path) as (vectors, _):
            vectors.pooling = "rank"
            with pytest.raises(InvalidRequest, match="reranker"):
                await vectors.embed([[5]], None)
            return await vectors.embed([[5]], "last")

    assert len(asyncio.run(run())[0]) == 576


def test_an_engine_that_ends_tells_whoever_waits(model, smollm_path):
    async def run():
        async with running(model, smollm_path) as (vectors, worker):
            embedding = asyncio.create_task(vectors.embed([[5] * 500] * 50, None))
            await asyncio.sleep(0.1)
            worker.stop()
            with pytest.raises(Overloaded):
                await asyncio.wait_for(embedding, 20)

    asyncio.run(run())


@pytest.mark.parametrize("batch", [1, 8])
def test_a_batch_may_be_smaller_than_the_inputs_that_would_share_it(model, smollm_path, batch):
    assert slots_for(batch) == batch
    embedder = Embedder(model, EngineSettings(path=smollm_path, name="m", threads=1), longest=64, batch=batch)
    spans = [Span(slot, 0, [500 + slot], sampled=True) for slot in range(batch)]
    pools = [Pool("mean") for _ in spans]
    embedder.compute(spans, pools, (), fresh=True)
    embedder.close()
    assert len({tuple(pool.vector()) for pool in pools}) == batch
