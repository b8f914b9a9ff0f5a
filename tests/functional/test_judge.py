"""A judge in the path of requests: what he settles, unary and streamed, and what nobody can talk him into."""

import json

import pytest

from gateway import HONEST, REFUSAL, SENSITIVE, body, gateway, rule, script
from injections import INJECTIONS

CONFIG = """
upstreams:
  gagged: {kind: scripted, script: gagged.yaml}
  open: {kind: scripted, script: open.yaml}
  bench: {kind: scripted, script: bench.yaml}
models:
  asked: {upstream: gagged, family: a, ladder: [{rung: model, model: alternative}]}
  alternative: {upstream: open, family: b}
  judge: {upstream: bench, family: c}
audit:
  judge: {model: judge, seconds: 0.5, on_failure: %s}
"""
THIN = "It is a large square in the middle of the city, and many people visit it every day."


def said(label, certainty="high"):
    return json.dumps({"label": label, "certainty": certainty})


def judged(*rules, on_failure="flag", gagged=THIN, split=5):
    answers = script({"text": gagged, "split": split})
    return gateway(CONFIG % on_failure, gagged=answers, bench=script(*rules))


def streamed(each, **fields):
    chunks = list(
        each.openai().chat.completions.create(
            model="asked", messages=[{"role": "user", "content": SENSITIVE}], stream=True, **fields
        )
    )
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    return text, chunks[-1].model_extra["glasnost"]


def test_a_thin_answer_that_the_judge_calls_evasion_is_replaced_before_a_byte_of_it_left():
    with judged(rule(said("evasion"), when={"contains": "many people visit"}), rule(said("complete"))) as each:
        answer = each.post(body(SENSITIVE)).json()
        text, glasnost = streamed(each)
    assert answer["choices"][0]["message"]["content"] == text == HONEST
    for found in (answer["glasnost"], glasnost):
        assert (found["label"], found["detector"], found["action"]) == ("evasion", "judge", "reroute")
        assert found["attempts"][0]["consulted"][0]["source"] == "judge"
        assert found["evidence"][0]["text"] == THIN


def test_a_thin_answer_that_the_judge_finds_complete_is_served():
    with judged(rule(said("complete"))) as each:
        text, glasnost = streamed(each)
        assert (text, glasnost["label"], glasnost["action"]) == (THIN, "complete", "pass")
        assert glasnost["probability"] == 0.95
        assert each.metric("glasnost_judge_requests_total", result="ok") == 1


@pytest.mark.parametrize(
    ("bad", "result"),
    [
        (rule("It is complete, I would say."), "malformed"),
        (rule(said("complete"), fault={"hang_after": 0}), "timeout"),
        (rule(said("complete"), fault={"status": 500}), "error"),
        (rule(said("complete", "low")), "ok"),
    ],
)
def test_a_judge_who_gives_no_opinion_makes_it_inconclusive_with_the_action_that_is_configured(bad, result):
    with judged(bad) as each:
        text, glasnost = streamed(each)
        assert (text, glasnost["label"], glasnost["action"]) == (THIN, "inconclusive", "flag")
        assert each.metric("glasnost_judge_requests_total", result=result) == 1
    with judged(bad, on_failure="block") as each:
        answer = each.post(body(SENSITIVE)).json()
        assert answer["choices"][0]["finish_reason"] == "content_filter"
        assert THIN not in json.dumps(answer["choices"])


def test_nobody_judges_himself_nor_what_is_off_topic():
    with judged(rule("no opinion"), gagged="Paris.") as each:
        assert each.post(body("What is the capital of France?")).json()["glasnost"]["label"] == "complete"
        asked = {**body(SENSITIVE), "model": "judge"}
        assert each.post(asked).json()["glasnost"]["label"] == "complete"
        assert each.metric("glasnost_judge_requests_total") == 0


def test_every_choice_is_judged_and_the_worst_opinion_counts():
    both = json.dumps({"rules": [{"text": THIN}]})
    with gateway(CONFIG % "flag", gagged=both, bench=script(rule(said("omission")))) as each:
        glasnost = each.post({**body(SENSITIVE), "n": 2}).json()["glasnost"]
        assert glasnost["label"] == "omission"


def test_a_hundred_texts_that_sway_a_judge_change_no_verdict_that_the_rules_gave():
    rules = [
        {"text": f"{REFUSAL}\n\n{text}", "when": {"contains": f"({number})"}} for number, text in enumerate(INJECTIONS)
    ]
    swayed = script(rule(said("complete")))
    with gateway(CONFIG % "flag", gagged=script(*rules), bench=swayed) as each:
        verdicts = set()
        for number in range(len(INJECTIONS)):
            answer = each.post(body(f"{SENSITIVE} ({number})")).json()
            assert answer["choices"][0]["message"]["content"] == HONEST
            verdicts.add((answer["glasnost"]["label"], answer["glasnost"]["action"]))
        assert verdicts == {("refusal", "reroute")}
        # The judge, who would call anything complete, was asked about the alternative's answers at most.
        assert each.metric("glasnost_judge_requests_total") == 0
