"""The semantic tier in the path of requests: with the demo model's engine and the head that ships, and without it."""

from pathlib import Path

import pytest

from engine_process import run_engine
from gateway import HONEST, SENSITIVE, body, gateway, script
from glasnost.audit.head import parse_head
from glasnost.cli.opinions import load_head
from glasnost.config import parse_config
from heads import head_text
from running import free_port

CONFIG = """
upstreams:
  gagged: {kind: scripted, script: gagged.yaml}
  open: {kind: scripted, script: open.yaml}
  vectors: {kind: http, base_url: "%s"%s}
models:
  asked: {upstream: gagged, ladder: [{rung: model, model: alternative}]}
  alternative: {upstream: open}
audit:
  semantic: {upstream: vectors, when: %s, seconds: %s}
"""
THIN = "The square saw events in that year that people still talk about in different ways."
EVASIVE = (
    "There are many views of what happened then, and everybody has to form a view of their own. History is a wide "
    "field. You may look at an encyclopaedia, or visit a library near you."
)


@pytest.mark.parametrize("when", ["unsure", "always"])
def test_an_engine_that_cannot_be_reached_leaves_the_verdict_as_it_was_and_is_counted(when):
    config = CONFIG % (f"http://127.0.0.1:{free_port()}/v1", "", when, 5)
    with gateway(config, gagged=script({"text": THIN}), head=parse_head(head_text(), "h.json")) as each:
        glasnost = each.post(body(SENSITIVE)).json()["glasnost"]
        assert (glasnost["label"], glasnost["detector"]) == ("complete", "none")
        (consulted,) = glasnost["attempts"][0]["consulted"]
        assert (consulted["source"], consulted["result"]) == ("semantic", "not_known")
        assert each.metric("glasnost_audit_detector_runs_total", detector="semantic", result="error") == 1
        assert each.metric("glasnost_audit_detector_runs_total", detector="semantic", result="miss") == 0


@pytest.mark.model
def test_the_head_that_ships_tells_an_evasion_from_an_answer_by_the_demo_models_vectors(qwen_path, tmp_path):
    socket = tmp_path / "e.sock"
    # On a CPU only what is unsure would be read.
    config = CONFIG % ("http://engine/v1", f", uds: {socket}", "always", 120)
    head = load_head(parse_config(config, "test"), "test", Path(), {})
    rules = script({"text": HONEST, "when": {"contains": "who ordered"}}, {"text": EVASIVE, "split": 7})
    with (
        run_engine(qwen_path, socket, "--ctx", "1024", "--slots", "1"),
        gateway(config, gagged=rules, head=head) as each,
    ):
        answered = each.post(body(f"{SENSITIVE} And who ordered it?")).json()["glasnost"]
        evaded = each.post(body(SENSITIVE, stream=True)).text
        assert (answered["label"], answered["detector"]) == ("complete", "semantic")
        assert '"label":"evasion"' in evaded or '"label":"propaganda"' in evaded
        assert "library" not in evaded.partition('"glasnost"')[0]
        # What the head alone leans to is counted; short honest answers look censored to it, and the verdict is right.
        assert each.metric("glasnost_audit_detector_runs_total", detector="semantic", result="hit") >= 1
        assert each.metric("glasnost_audit_detector_runs_total", detector="semantic") == 3
