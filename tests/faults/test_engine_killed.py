"""An engine that dies under load takes no request with it of which no text was released, and is used again."""

import asyncio
import hashlib

import pytest
import redis

from fleet import Load, Member, started
from gateway import HARMLESS, rule, script
from glasnost.record.ledger import read
from glasnost.record.ledger.place import at_server
from glasnost.record.ledger.verify import Counts, verify
from postgres import postgres
from redis_server import redis_server

KEY = "fleet"
ENGINES = ("one", "two", "three")
CLIENTS = 8
ENGINE = """
audit: {packs: [general]}
ledger: {enabled: false}
upstreams: {script: {kind: scripted, script: script.yaml}}
models: {m: {upstream: script}}
"""
ANSWER = script(rule("The capital of France is Paris, which lies on the Seine.", first_delay=0.15))
GATEWAY = """
server: {{keys: [{{hash: "sha256:{key}", name: fleet, scopes: [admin], limits: {{requests_per_minute: 1000000}}}}]}}
limits: {{redis_url_env: FLEET_REDIS}}
ledger: {{url_env: FLEET_LEDGER}}
failover: {{min_retries: 20, open_seconds: 1, max_open_seconds: 1, slow_start_seconds: 600}}
upstreams:
  one: {{kind: http, base_url: "http://127.0.0.1:{one}/v1", model: m}}
  two: {{kind: http, base_url: "http://127.0.0.1:{two}/v1", model: m}}
  three: {{kind: http, base_url: "http://127.0.0.1:{three}/v1", model: m}}
models: {{asked: {{upstreams: [one, two, three], balance: least_busy}}}}
"""


def answered(seen, *engines):
    """Give how many requests these engines answered, by gateway."""
    return [
        sum(each.get(f'glasnost_upstream_requests_total{{outcome="ok",upstream="{name}"}}', 0) for name in engines)
        for each in seen
    ]


def state(name):
    return lambda seen: all(each.get(f'glasnost_circuit_state{{state="{name}",upstream="three"}}') for each in seen)


async def killed_and_started_again(engines, ports):
    """Kill the engine under load, start it again; give what the clients got and what it did before and after."""
    engine = engines[-1]
    body = {"model": "asked", "messages": [{"role": "user", "content": HARMLESS}]}
    async with Load(ports, KEY, body, CLIENTS) as load:
        await load.ready(engines)
        load.start()
        before = await load.until(lambda seen: min(answered(seen, *ENGINES)) >= 30)
        engine.kill()
        await load.until(state("open"))
        engine.start()
        back = await load.until(state("closed"))
        after = await load.until(
            lambda seen: all(
                now - then >= 60 for now, then in zip(answered(seen, *ENGINES), answered(back, *ENGINES), strict=True)
            )
        )
        await load.stop()
        return load.told, before, back, after


@pytest.mark.faults
def test_no_request_fails_that_had_released_no_text_and_the_engine_comes_back_slowly(tmp_path):
    engines = {name: Member(tmp_path / name, ENGINE, {}, script=ANSWER) for name in ENGINES}
    config = GATEWAY.format(
        key=hashlib.sha256(KEY.encode()).hexdigest(), **{name: each.port for name, each in engines.items()}
    )
    with postgres() as server, redis_server(tmp_path) as (redis_url, _):
        ledger = server.url()
        environment = {"FLEET_LEDGER": ledger, "FLEET_REDIS": redis_url}
        gateways = [Member(tmp_path / name, config, environment) for name in ("east", "west")]
        with started(*engines.values(), *gateways):
            ports = [each.port for each in gateways]
            told, before, back, after = asyncio.run(killed_and_started_again(list(engines.values()), ports))
        assert told.failed == []
        assert told.cut <= CLIENTS  # each has but one request under way
        for gateway in range(len(gateways)):
            shares = [answered(before, name)[gateway] / answered(before, *ENGINES)[gateway] for name in ENGINES]
            assert min(shares) > 0.2, shares
            own, all_of_them = (
                answered(after, *names)[gateway] - answered(back, *names)[gateway] for names in (("three",), ENGINES)
            )
            assert 1 <= own < all_of_them / 6, "a tenth of a third is what it may have at first"
        with at_server(ledger).reader().connect() as connection:
            assert told.whole <= {found.entry.exchange for found in read.ends(connection)}
            assert list(verify(connection, Counts())) == []
        with redis.Redis.from_url(redis_url) as client:
            assert client.dbsize() > 0
