"""The semantic tier against a loopback engine: for which file, within what time, and what a failure leaves."""

import asyncio
import time

import pytest

from glasnost.audit.head import parse_head
from glasnost.config import HttpUpstream, SemanticSettings
from glasnost.pipeline.opinions.semantic import SemanticTier
from glasnost.policy.label import Label
from glasnost.upstream.http import HttpServer
from heads import SHA256, head_text
from loopback import loopback

PAIRS = [("Why?", "It is complicated."), ("Why?", "Because.")]


def props(sha256=SHA256, **fields):
    return {
        "model": {"name": "served", "sha256": sha256},
        "build": {"gpu_offload": False},
        "gpu_layers": None,
        **fields,
    }


def vectors(*each):
    return {"data": [{"embedding": list(vector)} for vector in each]}


def serving(facts, answer, *, seconds=0.0):
    """Answer `/props` and `/embeddings`, the latter after a while."""

    async def handler(peer):
        if peer.line.startswith("GET /props"):
            await peer.answer(facts)
            return
        await asyncio.sleep(seconds)
        await peer.answer(answer(peer.json) if callable(answer) else answer)

    return handler


async def read(handler, pairs=PAIRS, *, times=1, **settings):
    """Give what the tier reads, each time, with the tier and the requests that the engine saw."""
    async with loopback(handler) as served:
        upstream = HttpServer("up", HttpUpstream(kind="http", base_url=served.url))
        given = SemanticSettings(upstream="up", **settings)
        tier = SemanticTier(given, upstream, parse_head(head_text(), "h.json"), time.monotonic)
        try:
            return [await tier.read(pairs) for _ in range(times)], tier, [peer.line for peer in served.peers]
        finally:
            await upstream.aclose()


def test_pairs_are_read_in_one_request_and_what_is_served_is_asked_once():
    asked = []

    def answer(body):
        asked.append(body)
        return vectors((0.0, 1.0), (1.0, 0.0))

    results, tier, lines = asyncio.run(read(serving(props(), answer), times=2))
    for readings, consultation in results:
        assert [reading.log_odds > 0 for reading in readings] == [True, False]
        assert readings[0].label is Label.EVASION
        assert (consultation.source, consultation.result) == ("semantic", "hit")
    assert asked[0] == {
        "model": "served",
        "input": ["Q: Why?\nA: It is complicated.\nIt", "Q: Why?\nA: Because.\nIt"],
        "pooling": "mean",
    }
    assert [line.split()[1] for line in lines] == ["/props", "/v1/embeddings", "/v1/embeddings"]
    assert not tier.always


def test_with_another_file_than_the_heads_the_tier_is_off():
    results, _, lines = asyncio.run(read(serving(props("cd" * 32), vectors()), times=2))
    assert [(readings, consultation.result) for readings, consultation in results] == [(None, "other_model")] * 2
    assert len(lines) == 1, "it asked for vectors"


@pytest.mark.parametrize("facts", [props(None), {}, [], {"model": "m"}, {"model": {}}])
def test_an_engine_that_does_not_tell_its_file_is_asked_again(facts):
    results, _, lines = asyncio.run(read(serving(facts, vectors()), times=2))
    assert [(readings, consultation.result) for readings, consultation in results] == [(None, "not_known")] * 2
    assert len(lines) == 2


@pytest.mark.parametrize(
    "answer",
    [
        vectors((0.0, 1.0)),
        vectors((0.0, 1.0), (1.0,)),
        vectors((0.0, 1.0), ("1", "0")),
        {"data": "none"},
        {"data": [{"embedding": None}, {}]},
        {},
        {"error": {"message": "no"}},
    ],
)
def test_what_is_not_the_vectors_asked_for_is_a_failure(answer):
    ((readings, consultation),), _, _ = asyncio.run(read(serving(props(), answer)))
    assert (readings, consultation.result) == (None, "error")


def test_an_engine_that_takes_too_long_is_given_up():
    ((readings, consultation),), _, _ = asyncio.run(
        read(serving(props(), vectors((0.0, 1.0), (1.0, 0.0)), seconds=30), seconds=0.3)
    )
    assert (readings, consultation.result) == (None, "timeout")
    assert consultation.seconds < 10


@pytest.mark.parametrize(
    ("build", "layers", "when", "always"),
    [
        (True, 24, "auto", True),
        (True, 0, "auto", False),
        (False, 24, "auto", False),
        (False, 0, "always", True),
        (True, 24, "unsure", False),
    ],
)
def test_a_gpu_reads_everything_and_a_cpu_what_is_unsure(build, layers, when, always):
    facts = props(build={"gpu_offload": build}, gpu_layers=layers)
    _, tier, _ = asyncio.run(read(serving(facts, vectors((0.0, 1.0), (1.0, 0.0))), when=when))
    assert tier.always is always
