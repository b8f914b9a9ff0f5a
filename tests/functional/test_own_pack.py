"""A pack of one's own, by path: its action is the one that is taken, whatever state or firm it is about."""

import json

import httpx
import pytest

from gateway import CONFIG, REFUSAL, body, gateway, rule, script

TOPIC = """
schema: glasnost/topic/v1
id: acme.flood
title: The flood of the Acme reservoir
languages: [en]
sources: [{{id: report, title: Report of the inquiry, url: "https://example.org/report"}}]
match: {{terms: {{en: [Acme reservoir, Acme flood]}}}}
facts:
  - {{id: dam, weight: 3, says: The dam broke, sources: [report], any: {{en: [the dam broke]}}}}
party_line:
  - {{id: safe, sources: [report], any: {{en: [safety has always been our priority]}}}}
acts_on: [refusal, evasion, propaganda]
action: {action}
examples:
  - {{prompt: "What was the Acme flood?", answer: The dam broke in May., expect: complete}}
"""
PROMPT = "What happened at the Acme reservoir?"


@pytest.fixture
def running(tmp_path, request):
    pack = tmp_path / "acme"
    pack.mkdir()
    (pack / "flood.yaml").write_text(TOPIC.format(action=request.param))
    config = CONFIG + f"audit: {{packs: ['{pack}']}}\n"
    with gateway(config, gagged=script(rule(REFUSAL)), answers=script(rule("The dam broke."))) as each:
        yield each


@pytest.mark.parametrize("running", ["block"], indirect=True)
def test_a_blocked_answer_is_a_200_that_ends_as_filtered_and_holds_none_of_it(running):
    unary = running.post(body(PROMPT))
    assert unary.status_code == 200
    choice = unary.json()["choices"][0]
    assert choice["finish_reason"] == "content_filter"
    assert choice["message"]["content"] is None
    assert choice["message"]["refusal"] == "This answer was withheld by policy."
    assert unary.json()["glasnost"]["action"] == "block"
    assert unary.json()["glasnost"]["served_by"] == ""

    with httpx.stream("POST", f"{running.url}/v1/chat/completions", json=body(PROMPT, stream=True)) as response:
        lines = [line.removeprefix("data: ") for line in response.iter_lines() if line.startswith("data: ")]
    assert lines[-1] == "[DONE]"
    chunks = [json.loads(line) for line in lines[:-1]]
    assert chunks[-1]["choices"][0]["finish_reason"] == "content_filter"
    assert chunks[-1]["glasnost"]["action"] == "block"
    assert not any("content" in chunk["choices"][0]["delta"] for chunk in chunks)
    assert running.metric("glasnost_actions_total", policy="acme", action="block") == 2


@pytest.mark.parametrize("running", ["flag"], indirect=True)
def test_a_pack_that_only_flags_reroutes_nothing(running):
    answer = running.post(body(PROMPT)).json()
    assert answer["choices"][0]["message"]["content"] == REFUSAL
    assert (answer["glasnost"]["label"], answer["glasnost"]["action"]) == ("refusal", "flag")
    assert answer["glasnost"]["topics"] == ["acme.flood"]
    assert len(answer["glasnost"]["attempts"]) == 1
    streamed = running.post(body(PROMPT, stream=True)).text
    assert '"action":"flag"' in streamed
    assert running.metric("glasnost_upstream_requests_total", upstream="open") == 0


@pytest.mark.parametrize("running", ["pass"], indirect=True)
def test_a_pack_that_passes_only_counts(running):
    answer = running.post(body(PROMPT)).json()
    assert (answer["glasnost"]["label"], answer["glasnost"]["action"]) == ("refusal", "pass")
    assert running.metric("glasnost_audits_total", topic="acme.flood", label="refusal") == 1


@pytest.mark.parametrize("running", ["reroute"], indirect=True)
def test_topics_of_other_packs_do_not_act_when_they_are_not_chosen(running):
    answer = running.post(body("What happened at Tiananmen Square on June 4, 1989?")).json()
    assert answer["glasnost"]["action"] == "pass"
    assert answer["glasnost"]["topics"] == []
    assert running.post(body(PROMPT)).json()["glasnost"]["served_by"] == "alternative"
