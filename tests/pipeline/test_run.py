"""The budget of a ladder: how many attempts, for how long, and past which upstreams."""

import asyncio

import pytest

from glasnost.config import RerouteSettings, parse_config
from glasnost.errors import AuditFailed, UpstreamRejected, UpstreamTimeout, UpstreamUnavailable
from glasnost.pipeline.ladder import steps
from glasnost.pipeline.run import Run
from glasnost.policy.label import Action
from glasnost.record.exchange import Attempt, Done
from glasnost.upstream.script import parse_script
from glasnost.upstream.scripted import ScriptPlayer
from glasnost.wire.chat import ChatRequest
from packs import compiled

POLICY = compiled(("prc",))
CONFIG = parse_config(
    """
upstreams: {one: {kind: scripted, script: a}, two: {kind: scripted, script: b}, three: {kind: scripted, script: c}}
models:
  asked: {upstream: one, ladder: [{rung: reframe}, {rung: model, model: b}, {rung: model, model: c}]}
  b: {upstream: two}
  c: {upstream: three}
""",
    "test",
)
UPSTREAMS = {name: ScriptPlayer(name, parse_script("rules: [{text: x}]", "s")) for name in CONFIG.upstreams}


class Notes:
    """Keeps what it is told."""

    def __init__(self):
        self.closed_with = []

    def opened(self, exchange):  # noqa: ARG002 - only the end is of interest
        return Done()

    def closed(self, exchange):
        self.closed_with.append(exchange.outcome)
        return Done()


def run(clock=lambda: 0.0, **limits):
    body = {"model": "asked", "messages": [{"role": "user", "content": "Who was Liu Xiaobo?"}]}
    return Run(
        id="gx",
        request=ChatRequest.parse(body),
        steps=steps("asked", CONFIG.models, UPSTREAMS),
        policy=POLICY,
        mode="hold",
        limits=RerouteSettings(**limits),
        recorder=Notes(),
        clock=clock,
    )


def note(each, step, outcome="answered", error=None):
    each.note(Attempt(step.rung, step.model, step.upstream.name, outcome, 0.1, error=error))


def taken(each):
    found = []
    while (step := each.take_step()) is not None:
        found.append((step.rung, step.model))
        note(each, step)
    return found


LADDER = [("first", "asked"), ("reframe", "asked"), ("model", "b"), ("model", "c")]


@pytest.mark.parametrize(("attempts", "expected"), [(4, 4), (3, 4), (2, 3), (1, 2)])
def test_the_first_question_is_always_asked_and_then_so_many_rungs(attempts, expected):
    assert taken(run(max_attempts=attempts)) == LADDER[:expected]


def test_the_time_of_a_ladder_counts_from_the_first_reroute():
    now = [0.0]
    each = run(clock=lambda: now[0], seconds=10.0)
    now[0] = 100.0
    note(each, each.take_step())
    note(each, each.take_step())
    now[0] = 109.0
    assert each.rungs_left
    now[0] = 111.0
    assert not each.rungs_left
    assert each.take_step() is None


@pytest.mark.parametrize(
    "error",
    [
        UpstreamUnavailable("gone"),
        UpstreamTimeout("slow", phase="ttft"),
        UpstreamRejected("busy", status=429),
        UpstreamRejected("down", status=502),
    ],
)
def test_a_failed_upstream_is_not_asked_again_in_the_same_exchange(error):
    each = run()
    step = each.take_step()
    note(each, step, "failed", error)
    assert each.survives(error, step)
    assert taken(each) == [("model", "b"), ("model", "c")]


@pytest.mark.parametrize("error", [UpstreamRejected("bad", status=400), AuditFailed("no")])
def test_an_error_that_no_other_upstream_would_mend_ends_the_exchange_at_the_first_step_only(error):
    each = run()
    first = each.take_step()
    note(each, first, "failed", error)
    assert not each.survives(error, first)
    assert each.survives(error, each.take_step())


def test_nothing_is_retried_after_text_left():
    each = run()
    step = each.take_step()
    each.released = 1
    assert not each.survives(UpstreamUnavailable("gone"), step)


def test_an_answer_that_was_cut_is_asked_for_once_more_and_only_once():
    each = run()
    note(each, each.take_step(), "interrupted")
    taken(each)
    step = each.last_resort()
    assert (step.rung, step.model) == ("first", "asked")
    assert not each.rungs_left
    assert each.last_resort() is None
    assert run().last_resort() is None


def test_the_topics_are_known_at_once_and_the_end_is_told_once():
    each = run()
    assert each.topics == ("prc.dissidents",)
    asyncio.run(each.closed(each.exchange("served", Action.PASS, "asked")))
    asyncio.run(each.closed(each.exchange("failed", Action.PASS, "")))
    assert each.recorder.closed_with == ["served"]
