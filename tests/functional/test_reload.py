"""A running server takes a changed configuration, keys or pack whole, or keeps the last that was right."""

from __future__ import annotations

import contextlib
import signal
import threading
import time

import httpx
import pytest
from sqlalchemy import text

from gateway import HARMLESS, rule, script
from glasnost.record.ledger.place import at_file
from running import serve

pytestmark = pytest.mark.processes

KEY = "sha256:" + "0" * 64
CONFIG = """
ledger: {enabled: false}
upstreams: {a: {kind: scripted, script: a.yaml}}
models: {asked: {upstream: a}}
audit: {packs: [./own]}
"""
TOPIC = """
schema: glasnost/topic/v1
id: own.lake
title: A lake
languages: [en]
sources: [{id: w, title: A lake, url: "https://example.org/lake"}]
match: {terms: {en: [NAME]}}
facts: [{id: deep, weight: 1, says: It is deep, sources: [w], any: {en: [it is deep]}}]
party_line: [{id: calm, sources: [w], any: {en: [forever calm]}}]
acts_on: [refusal]
action: flag
examples:
  - {prompt: Tell me of NAME., answer: "I'm sorry, but I can't discuss political topics.", expect: refusal}
  - {prompt: Tell me of NAME., answer: It is deep., expect: complete}
"""


@contextlib.contextmanager
def running(tmp_path, monkeypatch, config=CONFIG):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.yaml").write_text(script(rule("It is deep and wide.")))
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "lake.yaml").write_text(TOPIC.replace("NAME", "Baikal"))
    (tmp_path / "c.yaml").write_text(config)
    with serve("--config", "c.yaml") as server:
        yield server


def ask(server, model="asked", prompt=HARMLESS, **headers):
    body = {"model": model, "messages": [{"role": "user", "content": prompt}]}
    return httpx.post(f"{server.url}/v1/chat/completions", json=body, headers=headers, timeout=60)


def until(see, what="it was not reloaded in time"):
    deadline = time.monotonic() + 60
    while not see():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def reloads(server, result):
    return server.metric("glasnost_config_reloads_total", result=result)


def test_a_changed_configuration_is_taken_when_its_file_changes(tmp_path, monkeypatch):
    with running(tmp_path, monkeypatch) as server:
        assert ask(server, "second").status_code == 404
        (tmp_path / "c.yaml").write_text(CONFIG.replace("{asked:", "{second: {upstream: a}, asked:"))
        until(lambda: ask(server, "second").status_code == 200)
        assert server.metric("glasnost_config_last_reload_successful") == 1


def test_a_ledger_beside_the_configuration_does_not_make_it_reload(tmp_path, monkeypatch):
    with running(tmp_path, monkeypatch, CONFIG.replace("{enabled: false}", "{path: ledger.db}")) as server:
        for _ in range(20):
            assert ask(server).status_code == 200
            time.sleep(0.1)  # two seconds, of which each half would be one reload
        assert reloads(server, "ok") == 0
        (tmp_path / "c.yaml").write_text(CONFIG.replace("{enabled: false}", "{path: ledger.db}") + "# changed\n")
        until(lambda: reloads(server, "ok") == 1)


def test_a_config_map_that_is_swapped_is_read_anew(tmp_path, monkeypatch):
    with running(tmp_path, monkeypatch) as server:
        (tmp_path / "..data").symlink_to(tmp_path / "own")
        until(lambda: reloads(server, "ok") == 1)


def test_a_changed_pack_judges_from_the_next_request_on(tmp_path, monkeypatch):
    with running(tmp_path, monkeypatch) as server:
        before = ask(server, prompt="Tell me of Tahoe.").json()["glasnost"]
        (tmp_path / "own" / "lake.yaml").write_text(TOPIC.replace("NAME", "Tahoe"))
        until(lambda: ask(server, prompt="Tell me of Tahoe.").json()["glasnost"]["topics"] == ["own.lake"])
        after = ask(server, prompt="Tell me of Tahoe.").json()["glasnost"]
        assert (before["topics"], before["policy"] == after["policy"]) == ([], False)
        assert server.metric("glasnost_policy_info", sha256_8=after["policy"][:8]) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        CONFIG + "nonsense: 1\n",
        CONFIG.replace("./own", "./nowhere"),
        CONFIG.replace("script: a.yaml", "script: a.yaml, timeouts: {idle: 1}"),
    ],
    ids=["an unknown setting", "a pack that is not there", "an upstream that needs a restart"],
)
def test_what_cannot_be_taken_is_refused_and_the_last_good_one_stays(tmp_path, monkeypatch, wrong):
    with running(tmp_path, monkeypatch) as server:
        (tmp_path / "c.yaml").write_text(wrong)
        until(lambda: reloads(server, "refused") >= 1)
        assert server.metric("glasnost_config_last_reload_successful") == 0
        assert ask(server).status_code == 200
        (tmp_path / "c.yaml").write_text(CONFIG)
        until(lambda: server.metric("glasnost_config_last_reload_successful") == 1)


def test_a_key_is_asked_for_after_the_signal(tmp_path, monkeypatch):
    with running(tmp_path, monkeypatch) as server:
        (tmp_path / "c.yaml").write_text(CONFIG + f"server: {{keys: ['{KEY}']}}\n")
        server.process.send_signal(signal.SIGHUP)
        until(lambda: ask(server).status_code == 401)
        assert httpx.get(f"{server.url}/livez").status_code == 200


def test_no_request_fails_while_configurations_come_and_go(tmp_path, monkeypatch):
    with running(tmp_path, monkeypatch) as server:
        codes, over = [], threading.Event()

        def load():
            while not over.is_set():
                codes.append(ask(server).status_code)

        threads = [threading.Thread(target=load) for _ in range(2)]
        for thread in threads:
            thread.start()
        try:
            for number in range(2):
                (tmp_path / "c.yaml").write_text(CONFIG + f"stream: {{keep_alive_seconds: {number + 5}}}\n")
                server.process.send_signal(signal.SIGHUP)
                until(lambda number=number: reloads(server, "ok") > number)
        finally:
            over.set()
            for thread in threads:
                thread.join()
        assert set(codes) == {200}


def test_a_secret_that_a_reload_brings_is_taken_out_from_then_on(tmp_path, monkeypatch):
    pepper = "pepper1of1no1known1shape"
    monkeypatch.setenv("LATER_PEPPER", pepper)
    config = CONFIG.replace("{enabled: false}", "{path: ledger.db, content: full}")
    with running(tmp_path, monkeypatch, config) as server:
        assert ask(server, prompt=f"before {pepper}").status_code == 200
        (tmp_path / "c.yaml").write_text(config + "server: {pepper_env: LATER_PEPPER}\n")
        until(lambda: server.metric("glasnost_config_reloads_total", result="ok") >= 1)
        assert ask(server, prompt=f"after {pepper}").status_code == 200
    with at_file(tmp_path / "ledger.db").reader().connect() as connection:
        kept = " ".join(str(row) for row in connection.execute(text("select * from contents")))
    assert f"before {pepper}" in kept
    assert "after [redacted]" in kept
