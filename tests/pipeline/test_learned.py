"""The learned order of a ladder: what it does with what was tried, and that it does nothing when it is off."""

import itertools
from random import Random
from types import SimpleNamespace

import pytest

from glasnost.pipeline.learned import Learned
from glasnost.pipeline.pipeline import Pipeline
from glasnost.record.ledger.describe import closed
from glasnost.record.tried import Place, Tried, tried_as_recorded, tried_in
from house import HONEST, POLICY, REFUSAL, SENSITIVE, House

PLACE = Place("asked", "prc.tiananmen-1989", "en")
CONFIG = """
reroute: {order: learned, explore: 0}
upstreams: {gagged: {kind: scripted, script: a}, open: {kind: scripted, script: b}}
models:
  asked: {upstream: gagged, ladder: [{rung: reframe}, {rung: prefill}, {rung: model, model: other}]}
  other: {upstream: open}
"""


def step(rung, model="asked"):
    return SimpleNamespace(rung=rung, model=model, key=(rung, model))


STEPS = [step("first"), step("reframe"), step("prefill"), step("model", "other")]


def learned(*tries, explore=0.0, chance=lambda: 0.0):
    each = Learned(explore, chance)
    each.learn(Tried(PLACE, rung, by, passed, seconds) for rung, by, passed, seconds in tries)
    return each


def order(each, place=PLACE):
    return [step.rung for step in each.order(STEPS, place)]


def test_without_anything_learned_the_order_is_the_configured_one():
    assert order(learned()) == ["first", "reframe", "prefill", "model"]


def test_rungs_come_by_the_seconds_that_an_answer_that_passes_costs():
    tries = [("reframe", "asked", False, 1.0)] * 8 + [("prefill", "asked", True, 1.0)] * 8
    tries += [("model", "other", True, 3.0)] * 8
    assert order(learned(*tries)) == ["first", "prefill", "model", "reframe"]


def test_a_cheap_rung_comes_before_a_surer_one_that_takes_much_longer():
    tries = [("reframe", "asked", number % 2 == 0, 0.5) for number in range(10)]
    tries += [("model", "other", True, 20.0)] * 10
    assert order(learned(*tries))[1] == "reframe"


def test_what_was_learned_on_one_topic_in_one_language_stays_there():
    each = learned(*[("reframe", "asked", False, 5.0)] * 5)
    assert order(each)[-1] == "reframe"
    for place in (Place("asked", "prc.taiwan", "en"), Place("asked", PLACE.topic, "zh"), Place("b", PLACE.topic, "en")):
        assert order(each, place)[1] == "reframe"


def test_any_rung_comes_first_once_in_a_while():
    tries = [("prefill", "asked", True, 0.1)] * 50
    draws = iter([0.04, 0.99, 0.05])
    each = learned(*tries, explore=0.05, chance=lambda: next(draws))
    assert order(each) == ["first", "model", "prefill", "reframe"]
    assert order(each)[1] == "prefill"


def test_exploration_gives_every_rung_its_share():
    each = learned(*[("prefill", "asked", True, 0.1)] * 50, explore=0.3, chance=Random(7).random)
    firsts = [order(each)[1] for _ in range(1000)]
    assert 50 < firsts.count("reframe") < 150
    assert 50 < firsts.count("model") < 150


def test_an_order_of_the_least_expected_time_is_found():
    tries = [("reframe", "asked", number < 3, 2.0) for number in range(10)]
    tries += [("prefill", "asked", number < 7, 4.0) for number in range(10)]
    tries += [("model", "other", number < 9, 3.0) for number in range(10)]
    each = learned(*tries)
    values = {rung: (tally.cost(0), tally.chance) for _, (rung, _), tally, _ in each.table()}

    def expected(rungs):
        reached, seconds = 1.0, 0.0
        for rung in rungs:
            cost, chance = values[rung]
            seconds, reached = seconds + reached * cost, reached * (1 - chance)
        return seconds

    assert expected(order(each)[1:]) == min(map(expected, itertools.permutations(values)))


def house(config=CONFIG):
    rules = [{"when": {"system": "encyclopaedia"}, "text": REFUSAL}, {"text": REFUSAL}]
    return House(config, gagged=rules, open=[{"text": HONEST}])


def rungs(glasnost):
    return [attempt["rung"] for attempt in glasnost["attempts"]]


@pytest.mark.parametrize("stream", [False, True])
def test_a_pipeline_learns_from_its_exchanges(stream):
    each, ticks = house(), itertools.count()
    each.pipeline = Pipeline(each.config, each.heard, {("prc",): POLICY}, each.notes, clock=lambda: next(ticks) / 1000)
    orders = [rungs(each.ask(stream=stream)[1]) for _ in range(4)]
    assert orders[0] == ["first", "reframe", "prefill", "model"]
    assert orders[-1] == ["first", "model"]
    assert {place for place, *_ in each.pipeline.learned.table()} == {PLACE}


def test_off_it_learns_nothing_and_asks_no_chance():
    def chance():
        raise AssertionError

    each = house(CONFIG.replace("order: learned, explore: 0", "order: configured"))
    each.pipeline = Pipeline(each.config, each.heard, {("prc",): POLICY}, each.notes, chance=chance)
    assert [rungs(each.ask()[1]) for _ in range(3)] == [["first", "reframe", "prefill", "model"]] * 3
    assert each.pipeline.learned is None


def test_what_the_ledger_holds_of_an_exchange_teaches_the_same():
    each = house()
    each.ask(SENSITIVE)
    each.ask("法国的首都是哪里？")
    for exchange in each.notes.exchanges:
        there = list(tried_in(exchange))
        recorded = list(tried_as_recorded(closed(exchange, lambda _: {})))
        assert [(tried.place, tried.rung, tried.by, tried.passed) for tried in recorded] == [
            (tried.place, tried.rung, tried.by, tried.passed) for tried in there
        ]
    assert [tried.passed for tried in tried_in(each.notes.exchanges[0])] == [False, False, True]
