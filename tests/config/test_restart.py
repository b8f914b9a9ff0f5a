"""What a reload takes over, and what it names as needing a restart."""

import pytest

from glasnost.config import fixed_changes, parse_config

CONFIG = "upstreams: {a: {kind: scripted, script: a.yaml}}\nmodels: {m: {upstream: a}}\n"


def changed(more, base=CONFIG):
    return [problem.path for problem in fixed_changes(parse_config(CONFIG, "old"), parse_config(base + more, "new"))]


@pytest.mark.parametrize(
    "more",
    [
        "audit: {packs: [general]}\n",
        "stream: {mode: full}\n",
        "reroute: {seconds: 9}\n",
        "race: {share: 0.5}\n",
        f"server: {{keys: ['sha256:{'0' * 64}'], max_in_flight: 7}}\n",
    ],
)
def test_what_judges_and_who_may_ask_is_taken_over(more):
    assert changed(more) == []


@pytest.mark.parametrize(
    ("more", "path"),
    [
        ("server: {port: 1}\n", "server.port"),
        ("server: {drain_seconds: 60}\n", "server.drain_seconds"),
        ("server: {workers: 2}\n", "server.workers"),
        ("ledger: {content: none}\n", "ledger"),
        ("limits: {redis_url_env: R}\n", "limits"),
        ("engines: {memory: 2000000}\n", "engines"),
    ],
)
def test_what_was_opened_or_started_needs_a_restart(more, path):
    assert changed(more) == [path]


def test_an_upstream_that_is_new_or_gone_or_other_is_named():
    there = "a: {kind: scripted, script: a.yaml}"
    other = CONFIG.replace(there, there.replace("a.yaml", "c.yaml") + ", b: {kind: scripted, script: b.yaml}")
    assert changed("", other) == ["upstreams.a", "upstreams.b"]
