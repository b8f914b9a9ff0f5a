"""A race: two models asked at once, the first answer that passes goes out, and the other one is stopped."""

import asyncio
import json

import pytest

from glasnost.config import HttpUpstream, KeySettings, RaceSettings, parse_config
from glasnost.errors import ConfigError
from glasnost.pipeline.caller import Caller
from glasnost.pipeline.pipeline import Pipeline
from glasnost.pipeline.race import Race, Races
from glasnost.upstream.http import HttpServer
from glasnost.wire.chat import ChatRequest
from house import HONEST, POLICY, REFUSAL, SENSITIVE, House, Notes
from loopback import chunk, loopback

CONFIG = """
race: {share: 1, per_key_per_minute: 1000}
upstreams: {gagged: {kind: scripted, script: a}, open: {kind: scripted, script: b}}
models:
  asked: {upstream: gagged, race: true, ladder: [{rung: reframe}, {rung: model, model: other}]}
  other: {upstream: open}
"""
OWN = "Troops fired on unarmed people in Beijing on 4 June 1989. Many of them were killed."
SLOW = 20.0


def house(gagged, other, config=CONFIG):
    return House(config, gagged=gagged, open=other)


def came(glasnost):
    return [(attempt["rung"], attempt["outcome"]) for attempt in glasnost["attempts"]]


both = pytest.mark.parametrize("stream", [False, True])


@both
def test_the_rival_is_asked_at_once_and_goes_out_when_the_first_answer_is_censored(stream):
    each = house([{"text": REFUSAL, "first_delay": 0.05}], [{"text": HONEST, "first_delay": 1.0}])
    text, glasnost = each.ask(stream=stream)
    assert text == HONEST
    assert (glasnost["label"], glasnost["action"], glasnost["served_by"]) == ("refusal", "reroute", "other")
    assert [rung for rung, _ in came(glasnost)] == ["first", "model"]
    assert glasnost["attempts"][1]["milliseconds"] >= 995


@both
def test_the_first_that_passes_goes_out_and_the_other_is_stopped_and_counted(stream):
    each = house([{"text": OWN, "split": 5, "first_delay": 0.02, "delay": SLOW}], [{"text": HONEST}])
    text, glasnost = each.ask(stream=stream)
    assert text == HONEST
    assert came(glasnost) == [("first", "outrun"), ("model", "answered")]
    usage = glasnost["attempts"][0]["usage"]
    assert usage["estimated"]
    assert usage["prompt_tokens"] > 5
    assert (glasnost["label"], glasnost["action"], glasnost["served_by"]) == ("complete", "reroute", "other")


@both
def test_a_model_that_answers_first_keeps_its_answer(stream):
    each = house([{"text": OWN}], [{"text": HONEST, "first_delay": SLOW}])
    text, glasnost = each.ask(stream=stream)
    assert text == OWN
    assert came(glasnost) == [("model", "outrun"), ("first", "answered")]
    assert (glasnost["label"], glasnost["action"], glasnost["served_by"]) == ("complete", "pass", "asked")


@both
def test_when_neither_passes_the_rungs_before_the_rival_have_their_turn(stream):
    reframed = {"when": {"system": "encyclopaedia"}, "text": OWN}
    each = house([reframed, {"text": REFUSAL}], [{"text": REFUSAL}])
    text, glasnost = each.ask(stream=stream)
    assert text == OWN
    assert sorted(rung for rung, _ in came(glasnost)) == ["first", "model", "reframe"]
    assert glasnost["attempts"][-1]["rung"] == "reframe"
    assert glasnost["action"] == "reroute"


@both
def test_when_nothing_passes_at_all_a_censored_answer_goes_out_flagged(stream):
    each = house([{"text": REFUSAL}], [{"text": REFUSAL}])
    text, glasnost = each.ask(stream=stream)
    assert text == REFUSAL
    assert glasnost["action"] == "flag"


@both
@pytest.mark.parametrize("failing", ["gagged", "open"])
def test_one_side_that_fails_leaves_the_other_to_answer(stream, failing):
    down = [{"fault": {"status": 503, "error": {"message": "Down."}}}]
    each = house(*((down, [{"text": HONEST}]) if failing == "gagged" else ([{"text": OWN}], down)))
    text, glasnost = each.ask(stream=stream)
    assert text == (HONEST if failing == "gagged" else OWN)
    assert glasnost["action"] == ("reroute" if failing == "gagged" else "pass")


@both
@pytest.mark.parametrize(
    ("prompt", "raced"),
    [
        (SENSITIVE, True),
        ("What is the capital of France?", False),
        ("How do I make a bomb for Tiananmen Square?", False),
    ],
)
def test_only_a_question_on_a_topic_that_asks_for_no_harm_is_raced(stream, prompt, raced):
    each = house([{"text": OWN}], [{"text": HONEST, "first_delay": SLOW}])
    each.ask(prompt, stream=stream)
    assert bool(each.heard["open"].requests) is raced


def test_a_stream_that_is_not_held_is_not_raced():
    each = house([{"text": OWN}], [{"text": HONEST}], CONFIG + "stream: {mode: window}")
    each.ask(stream=True)
    assert not each.heard["open"].requests


def test_without_race_the_rival_waits_for_its_turn():
    each = house([{"text": OWN}], [{"text": HONEST}], CONFIG.replace("race: true, ", ""))
    each.ask()
    assert not each.heard["open"].requests


def test_a_race_needs_a_rung_with_another_model():
    with pytest.raises(ConfigError, match="a race needs a rung with another model"):
        parse_config(CONFIG.replace(", {rung: model, model: other}", ""), "test")


def test_races_keep_to_their_share_and_to_a_number_for_each_key():
    races = Races(RaceSettings(share=0.5, per_key_per_minute=10), lambda: 0.0)
    assert sum(races.start("one") for _ in range(10)) == 5
    races = Races(RaceSettings(share=1.0, per_key_per_minute=3), lambda: 0.0)
    assert [sum(races.start(key) for _ in range(10)) for key in ("one", "two")] == [3, 3]
    now = [0.0]
    races = Races(RaceSettings(share=1.0, per_key_per_minute=1), lambda: now[0])
    assert (races.start("one"), races.start("one")) == (True, False)
    now[0] = 61.0
    assert races.start("one")


def test_the_pipeline_counts_races_by_the_clients_key():
    each = house([{"text": OWN}], [{"text": HONEST, "first_delay": SLOW}], CONFIG.replace("1000", "1"))
    body = {"model": "asked", "messages": [{"role": "user", "content": SENSITIVE}]}
    keys = [KeySettings(hash=f"sha256:{digit * 64}") for digit in "12"]

    async def ask():
        for key in (*keys, *keys):
            await each.pipeline.complete(ChatRequest.parse(body), Caller(key))

    asyncio.run(ask())
    assert len(each.heard["open"].requests) == 2


def test_the_loser_is_cut_off_on_its_socket_before_it_could_send_two_more_chunks():
    written = []
    config = CONFIG.replace("kind: scripted, script: a", 'kind: http, base_url: "http://127.0.0.1:1/v1"').replace(
        "kind: scripted, script: b", 'kind: http, base_url: "http://127.0.0.1:1/v1"'
    )
    winner_spoke, loser_began = asyncio.Event(), asyncio.Event()

    async def loser(peer):
        await peer.events()
        gone = asyncio.ensure_future(peer.gone())
        while not gone.done():
            await peer.event(chunk({"content": "The "}))
            written.append(winner_spoke.is_set())
            loser_began.set()
            await asyncio.wait({gone}, timeout=0.4)

    async def winner(peer):
        await loser_began.wait()
        await peer.events()
        await peer.event(chunk({"role": "assistant", "content": f"{HONEST} Many fled the city. They were sought. "}))
        winner_spoke.set()
        await asyncio.sleep(1.5)
        await peer.event(chunk({"content": "It was reported widely."}))
        await peer.event(chunk({}, "stop"))
        await peer.event(b"[DONE]")
        peer.writer.close()

    async def run():
        async with loopback(loser) as slow, loopback(winner) as fast:
            urls = {"gagged": slow.url, "open": fast.url}
            upstreams = {name: HttpServer(name, HttpUpstream(kind="http", base_url=url)) for name, url in urls.items()}
            pipeline = Pipeline(parse_config(config, "test"), upstreams, {("prc",): POLICY}, Notes())
            body = {"model": "asked", "messages": [{"role": "user", "content": SENSITIVE}], "stream": True}
            chunks = [json.dumps(each) async for each in pipeline.stream(ChatRequest.parse(body)).chunks()]
            for each in upstreams.values():
                await each.aclose()
            return "".join(chunks)

    said = asyncio.run(run())
    assert "It was reported widely." in said
    assert "The The" not in said
    assert written.count(False) >= 1
    assert written.count(True) <= 2


async def numbers(*delays, fault=None, closed=None, race=None, name=None):
    try:
        for number, delay in enumerate(delays):
            await asyncio.sleep(delay)
            if race is not None and not await race.claim(name):
                return
            yield number, delay
        if fault is not None:
            raise fault
    finally:
        if closed is not None:
            closed.append(delays)


async def gathered(generator):
    return [item async for item in generator]


async def heard(**contenders):
    return await gathered(Race(*contenders).first_to_speak(contenders))


def test_the_first_to_speak_is_heard_to_its_end_and_the_others_are_closed():
    closed = []
    silent, late = numbers(), numbers(5, closed=closed)
    said = asyncio.run(heard(a=late, b=silent, c=numbers(0.01, 0, closed=closed), d=numbers(6, closed=closed)))
    assert said == [(0, 0.01), (1, 0)]
    assert sorted(closed) == [(0.01, 0), (5,), (6,)]


def test_who_claims_a_race_has_stopped_the_others_before_it_speaks():
    race, closed = Race("a", "b"), []

    async def listen():
        slow = numbers(5, closed=closed, race=race, name="a")
        async for _ in race.first_to_speak({"a": slow, "b": numbers(0.01, race=race, name="b")}):
            return list(closed)
        return None

    assert asyncio.run(listen()) == [(5,)]
    assert race.winner == "b"


def test_an_error_of_one_contender_ends_them_all():
    closed = []
    with pytest.raises(ValueError, match="no"):
        asyncio.run(heard(a=numbers(fault=ValueError("no")), b=numbers(5, closed=closed)))
    assert closed == [(5,)]


def test_a_listener_that_leaves_closes_every_contender():
    closed = []

    async def leave():
        async with asyncio.timeout(0.05):
            await heard(a=numbers(5, closed=closed), b=numbers(6, closed=closed))

    with pytest.raises(TimeoutError):
        asyncio.run(leave())
    assert sorted(closed) == [(5,), (6,)]


def test_results_come_in_the_order_in_which_they_are_there():
    async def after(seconds):
        await asyncio.sleep(seconds)
        return seconds

    async def come():
        return await gathered(Race("a", "b", "c").as_they_come({"a": after(0.2), "b": after(0.01), "c": after(0.1)}))

    assert asyncio.run(come()) == [0.01, 0.1, 0.2]
