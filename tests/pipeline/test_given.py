"""Answers that were given elsewhere, and embeddings: what becomes of those that cannot be judged or had."""

import asyncio

import pytest

from glasnost.config import RerouteSettings
from glasnost.errors import AuditFailed, UpstreamError, UpstreamRejected, UpstreamUnavailable
from glasnost.pipeline.failover import Failover
from glasnost.pipeline.given import judge_given
from glasnost.pipeline.run import Run
from glasnost.pipeline.vectors import embed
from glasnost.policy.label import Action
from glasnost.record.exchange import Done
from glasnost.wire.audits import cases_of
from packs import compiled

REFUSAL = "I'm sorry, but I cannot discuss political topics."
(CASE,) = cases_of({"input": {"prompt": "What happened at Tiananmen Square in 1989?", "answer": REFUSAL}})


class Notes:
    """Keeps what it is told, and fails where it is told to."""

    def __init__(self, broken=None):
        self.closed_with = []
        self._broken = broken

    def opened(self, exchange):  # noqa: ARG002 - only the end is of interest
        if self._broken is not None:
            raise self._broken
        return Done()

    def closed(self, exchange):
        self.closed_with.append((exchange.outcome, exchange.action, exchange.endpoint))
        return Done()


class Broken:
    """A second opinion that fails."""

    async def on(self, *asked):
        raise RuntimeError(len(asked))


def given(recorder, **parts):
    policy = compiled(("prc",))
    return Run("gx", CASE.request, (), policy, "given", RerouteSettings(), recorder, clock=lambda: 0.0, **parts)


@pytest.mark.parametrize(
    ("means", "ended"), [(Action.FLAG, ("served", Action.FLAG)), (Action.BLOCK, ("blocked", Action.BLOCK))]
)
def test_what_the_policy_would_reroute_is_what_the_asker_can_do_about_it(means, ended):
    recorder = Notes()
    exchange = asyncio.run(judge_given(given(recorder), CASE.answers, means))
    assert exchange.action is means
    assert recorder.closed_with == [(*ended, "audits")]


def test_an_answer_that_cannot_be_judged_is_an_error_and_on_record_as_failed():
    recorder = Notes()
    with pytest.raises(AuditFailed):
        asyncio.run(judge_given(given(recorder, opinions=Broken()), CASE.answers, Action.BLOCK))
    assert recorder.closed_with == [("failed", Action.PASS, "audits")]


def test_what_could_not_be_recorded_is_not_judged():
    recorder = Notes(broken=UpstreamUnavailable("no ledger"))
    with pytest.raises(UpstreamUnavailable):
        asyncio.run(judge_given(given(recorder), CASE.answers, Action.BLOCK))
    assert recorder.closed_with == []


class Vectors:
    """An upstream that has other paths, and answers or fails on them."""

    def __init__(self, name, answer):
        self.name = name
        self._answer = answer

    async def post(self, path, body):  # noqa: ARG002 - whatever is asked
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer

    async def get(self, path, *, seconds):
        raise NotImplementedError


DOWN = Vectors("down", UpstreamUnavailable("Gone."))
GOOD = Vectors("good", {"data": [{"embedding": [0.5]}]})


def vectors(*upstreams):
    failover = Failover(upstreams=[each.name for each in upstreams])
    return asyncio.run(embed("m", upstreams, failover, {"model": "m", "input": "x"}))


def test_embeddings_come_from_the_next_upstream_where_one_is_gone_or_sends_something_else():
    assert vectors(DOWN, GOOD)["model"] == "m"
    assert vectors(Vectors("odd", {"data": "The army fired."}), GOOD)["data"] == [{"embedding": [0.5]}]


def test_a_request_that_is_called_wrong_is_asked_of_nobody_else():
    wrong = Vectors("wrong", UpstreamRejected("too long", status=400))
    with pytest.raises(UpstreamRejected):
        vectors(wrong, GOOD)


def test_the_first_error_is_told_where_no_upstream_gives_any():
    with pytest.raises(UpstreamUnavailable, match="Gone"):
        vectors(DOWN, Vectors("odd", UpstreamError("Odd.")))
