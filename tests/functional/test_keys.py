"""Keys: what each may do, of which models, judged by what, and how much of it; counted in memory and in Redis."""

from __future__ import annotations

import hashlib
import hmac
import shutil
import tempfile
from pathlib import Path

import httpx
import openai
import pytest

from gateway import CONFIG, HARMLESS, HONEST, REFUSAL, SENSITIVE, body, gateway, rule, script
from redis_server import redis_server

#: What the asked model and its alternative say, with the tokens that they count.
USAGE = {"prompt_tokens": 9, "completion_tokens": 7, "total_tokens": 16}
COUNTED = {
    "gagged": script(rule("Paris.", when={"contains": "capital of France"}, usage=USAGE), rule(REFUSAL, usage=USAGE)),
    "answers": script(rule(HONEST, usage=USAGE)),
}


def entry(name, **fields):
    """Give a key of the configuration; the key itself is its name."""
    return {"hash": f"sha256:{hashlib.sha256(name.encode()).hexdigest()}", "name": name, **fields}


def running(*keys, more="", **scripts):
    return gateway(CONFIG + f"server: {{keys: {list(keys)!r}}}\n{more}", **scripts)


def ask(server, key, prompt=HARMLESS, **fields):
    headers = {"authorization": f"Bearer {key}"}
    return httpx.post(f"{server.url}/v1/chat/completions", json=body(prompt, **fields), headers=headers, timeout=30)


def get(server, key, path):
    return httpx.get(server.url + path, headers={"authorization": f"Bearer {key}"})


@pytest.fixture(scope="module")
def scoped():
    keys = (
        entry("client"),
        entry("scraper", scopes=["audit:read"]),
        entry("boss", scopes=["admin"]),
        entry("narrow", models=["alternative"]),
        entry("elsewhere", packs=["safety"]),
    )
    with running(*keys) as each:
        yield each


@pytest.mark.parametrize(
    ("key", "chat", "metrics"), [("client", 200, 403), ("scraper", 403, 200), ("boss", 200, 200), ("nobody", 401, 401)]
)
def test_a_key_opens_what_its_scopes_say(scoped, key, chat, metrics):
    assert ask(scoped, key).status_code == chat
    assert get(scoped, key, "/metrics").status_code == metrics


def test_a_key_with_models_sees_and_asks_these_only(scoped):
    refused = ask(scoped, "narrow")
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "model_not_allowed")
    assert ask(scoped, "narrow", model="alternative").status_code == 200
    assert [model["id"] for model in get(scoped, "narrow", "/v1/models").json()["data"]] == ["alternative"]
    assert get(scoped, "narrow", "/v1/models/asked").status_code == 404


def test_a_key_with_packs_is_judged_by_these(scoped):
    ours = ask(scoped, "client", SENSITIVE).json()["glasnost"]
    theirs = ask(scoped, "elsewhere", SENSITIVE).json()["glasnost"]
    assert ours["policy"] != theirs["policy"]
    assert [topic for topic in theirs["topics"] if topic.startswith("prc.")] == []


def test_a_key_under_a_pepper_is_known_by_it_alone(monkeypatch):
    monkeypatch.setenv("TEST_PEPPER", "salt-and-pepper")
    made = hmac.digest(b"salt-and-pepper", b"client", "sha256").hex()
    keys = [f"hmac-sha256:{made}"]
    with gateway(CONFIG + f"server: {{keys: {keys!r}, pepper_env: TEST_PEPPER}}\n") as server:
        assert ask(server, "client").status_code == 200
        assert ask(server, "other").status_code == 401


@pytest.fixture(params=["memory", "redis"])
def store(request, monkeypatch):
    """Give what a configuration says of the store of limits."""
    if request.param == "memory":
        yield ""
        return
    folder = Path(tempfile.mkdtemp())  # a socket's path must be short
    try:
        with redis_server(folder) as (url, _):
            monkeypatch.setenv("TEST_REDIS", url)
            yield "limits: {redis_url_env: TEST_REDIS}\n"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def test_requests_above_the_limit_are_told_when_to_come_back(store):
    with running(entry("slow", limits={"requests_per_minute": 2}), entry("other"), more=store) as server:
        assert [ask(server, "slow").status_code for _ in range(3)] == [200, 200, 429]
        refused = ask(server, "slow")
        assert refused.json()["error"]["type"] == "rate_limit_error"
        assert refused.json()["error"]["code"] == "rate_limit_exceeded"
        assert 1 <= int(refused.headers["retry-after"]) <= 60
        assert ask(server, "other").status_code == 200
        client = openai.OpenAI(base_url=f"{server.url}/v1", api_key="slow", max_retries=0)
        with pytest.raises(openai.RateLimitError):
            client.chat.completions.create(**body())


def test_tokens_are_counted_when_they_are_known_and_end_with_the_budget(store):
    with running(entry("thrifty", limits={"tokens_per_day": 10}), more=store, **COUNTED) as server:
        first = ask(server, "thrifty")
        assert first.status_code == 200
        assert first.json()["usage"]["total_tokens"] >= 10
        assert _until(lambda: ask(server, "thrifty").status_code, 429) == 429


def test_without_rerouted_tokens_left_a_censored_answer_is_flagged_and_not_rerouted(store):
    with running(entry("spent", limits={"rerouted_tokens_per_day": 1}), more=store, **COUNTED) as server:
        assert ask(server, "spent", SENSITIVE).json()["glasnost"]["action"] == "reroute"
        action = _until(lambda: ask(server, "spent", SENSITIVE).json()["glasnost"]["action"], "flag")
        assert action == "flag"


def test_two_gateways_with_one_redis_share_a_limit(monkeypatch):
    folder = Path(tempfile.mkdtemp())
    try:
        with redis_server(folder) as (url, _):
            monkeypatch.setenv("TEST_REDIS", url)
            key = entry("shared", limits={"requests_per_minute": 3})
            more = "limits: {redis_url_env: TEST_REDIS}\n"
            with running(key, more=more) as one, running(key, more=more) as two:
                codes = [ask(server, "shared").status_code for server in (one, two, one, two, one)]
        assert codes == [200, 200, 200, 429, 429]
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def test_a_redis_that_dies_stops_nobody_and_is_counted(monkeypatch):
    folder = Path(tempfile.mkdtemp())
    try:
        with redis_server(folder) as (url, process):
            monkeypatch.setenv("TEST_REDIS", url)
            keys = (entry("client", scopes=["admin"], limits={"requests_per_minute": 1}),)
            with running(*keys, more="limits: {redis_url_env: TEST_REDIS}\n") as server:
                assert [ask(server, "client").status_code for _ in range(2)] == [200, 429]
                process.kill()
                process.wait()
                assert ask(server, "client").status_code == 200
                lines = get(server, "client", "/metrics").text.splitlines()
                lost = [line for line in lines if line.startswith("glasnost_limit_store_errors_total ")]
                assert float(lost[0].split()[1]) >= 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _until(see, wanted, tries=40):
    """Ask again until what was spent beside the last answer is counted."""
    for _ in range(tries):
        if (seen := see()) == wanted:
            break
    return seen
