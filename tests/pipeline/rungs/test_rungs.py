"""Rungs on the same model: what each sends, what the client gets, and what makes it be skipped."""

import pytest

from glasnost.pipeline.rungs.prompts import shipped
from house import HONEST, REFUSAL, SENSITIVE, House

CHINESE = "1989年6月4日天安门广场发生了什么？"
TOOLS = [{"type": "function", "function": {"name": "look_up", "parameters": {"type": "object"}}}]
SCHEMA = {"type": "json_schema", "json_schema": {"name": "a", "schema": {"type": "object"}}}


def house(*rungs, gagged=(), other=()):
    config = f"""
upstreams:
  gagged: {{kind: scripted, script: a}}
  open: {{kind: scripted, script: b}}
models:
  asked: {{upstream: gagged, ladder: [{", ".join(rungs)}]}}
  other: {{upstream: open}}
"""
    return House(config, gagged=[*gagged, {"text": REFUSAL}], open=[*other, {"text": HONEST}])


@pytest.mark.parametrize("stream", [False, True])
def test_prefill_writes_the_opening_and_the_client_gets_it_with_what_follows(stream):
    each = house("{rung: prefill}", gagged=[{"when": {"call": 2}, "text": HONEST, "split": 7}])
    text, glasnost = each.ask(stream=stream)
    opening = shipped("prefill.en")
    assert text == opening + HONEST
    assert each.heard["gagged"].requests[1].messages[-1] == {"role": "assistant", "content": opening}
    assert [attempt["rung"] for attempt in glasnost["attempts"]] == ["first", "prefill"]
    assert glasnost["attempts"][1]["excerpt"].startswith(opening)
    assert glasnost["action"] == "reroute"


def test_prefill_opens_a_chinese_answer_in_chinese():
    each = house("{rung: prefill}", gagged=[{"when": {"call": 2}, "text": "1989年6月4日，军队开枪。"}])
    text, _ = each.ask(CHINESE)
    assert text.startswith(shipped("prefill.zh"))


def test_prefill_sends_a_closed_thinking_and_fields_where_a_server_needs_them():
    each = house("{rung: prefill, prompt: 'Well, ', closed_think: true, fields: {continue_final_message: true}}")
    each.ask()
    sent = each.heard["gagged"].requests[1]
    assert sent.messages[-1]["content"] == "<think>\n\n</think>\n\nWell, "
    assert sent.body["continue_final_message"] is True


def test_an_opening_does_not_hide_a_refusal_that_continues_it():
    each = house("{rung: prefill}")
    text, glasnost = each.ask()
    assert glasnost["action"] == "flag"
    assert [attempt["label"] for attempt in glasnost["attempts"]] == ["refusal", "refusal"]
    assert REFUSAL in text


TRANSLATIONS = [
    {"when": {"system": "into English"}, "text": SENSITIVE},
    {"when": {"system": "into Chinese"}, "text": "1989年6月，军队进入北京，士兵向手无寸铁的抗议者开枪。"},
    {"when": {"contains": SENSITIVE}, "text": HONEST},
]


@pytest.mark.parametrize("stream", [False, True])
def test_language_asks_in_english_and_answers_in_the_users_language(stream):
    each = house("{rung: language}", gagged=TRANSLATIONS)
    text, glasnost = each.ask(CHINESE, stream=stream, temperature=0.7, stop=["。"])
    assert text.startswith("1989年6月，军队进入北京")
    first, question, english, back = each.heard["gagged"].requests
    assert [turn["content"] for turn in english.messages] == [SENSITIVE]
    assert english.body["temperature"] == first.body["temperature"] == 0.7
    assert question.messages[-1]["content"] == CHINESE
    assert back.messages[-1]["content"] == HONEST
    assert "stop" not in back.body
    rungs = [(attempt["rung"], attempt.get("purpose")) for attempt in glasnost["attempts"]]
    assert rungs == [("first", None), ("language", "translation"), ("language", "translation"), ("language", None)]
    assert glasnost["action"] == "reroute"


def test_a_translator_that_declines_is_one_rung_less_and_no_fault_of_the_upstream():
    each = house("{rung: language}", "{rung: reframe}")
    _, glasnost = each.ask(CHINESE)
    attempts = [(attempt["rung"], attempt.get("error"), attempt["label"]) for attempt in glasnost["attempts"]]
    assert attempts[2:] == [("language", "translation_failed", None), ("reframe", None, "refusal")]
    assert glasnost["action"] == "flag"


def test_an_answer_that_is_censored_in_english_is_not_translated():
    each = house("{rung: language}", "{rung: model, model: other}", gagged=TRANSLATIONS[:1])
    text, glasnost = each.ask(CHINESE)
    assert text == HONEST
    assert len(each.heard["gagged"].requests) == 3
    assert [attempt["label"] for attempt in glasnost["attempts"]] == ["refusal", None, "refusal", "complete"]


def test_another_model_translates_where_it_is_told_to():
    each = house("{rung: language, translator: other}", gagged=TRANSLATIONS[2:], other=TRANSLATIONS)
    _, glasnost = each.ask(CHINESE)
    assert [attempt["model"] for attempt in glasnost["attempts"]] == ["asked", "other", "other", "asked"]
    assert glasnost["served_by"] == "asked"


@pytest.mark.parametrize(
    ("rung", "prompt", "fields", "reason"),
    [
        ("prefill", SENSITIVE, {"tools": TOOLS}, "tool"),
        ("prefill", SENSITIVE, {"response_format": SCHEMA}, "response_format"),
        ("prefill", SENSITIVE, {"logprobs": True}, "log probabilities"),
        ("language", SENSITIVE, {}, "in English already"),
        ("language", CHINESE, {"tools": TOOLS}, "tools"),
        ("language", CHINESE, {"response_format": {"type": "json_object"}}, "response_format"),
        ("language", CHINESE, {"n": 2}, "several choices"),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_a_rung_that_cannot_keep_what_is_asked_for_is_skipped_with_a_reason(rung, prompt, fields, reason, stream):
    each = house(f"{{rung: {rung}}}", "{rung: model, model: other}")
    _, glasnost = each.ask(prompt, stream=stream, **fields)
    (skipped,) = glasnost["skipped"]
    assert (skipped["rung"], skipped["model"]) == (rung, "asked")
    assert reason in skipped["reason"]
    assert [attempt["rung"] for attempt in glasnost["attempts"]] == ["first", "model"]


@pytest.mark.parametrize("rung", ["{rung: reframe}", "{rung: model, model: other}"])
def test_tools_and_response_format_stay_on_rungs_that_keep_them(rung):
    each = house(rung)
    each.ask(tools=TOOLS, response_format={"type": "json_object"}, top_k=3)
    sent = (each.heard["open"].requests or each.heard["gagged"].requests)[-1]
    assert (sent.body["tools"], sent.body["top_k"]) == (TOOLS, 3)
    assert sent.body["response_format"] == {"type": "json_object"}


def test_an_answer_that_passes_tells_of_no_rung_that_would_have_been_skipped():
    each = house("{rung: language}", gagged=[{"text": HONEST}])
    assert "skipped" not in each.ask()[1]


@pytest.mark.parametrize(
    ("limit", "fields", "sent"),
    [
        (50, {}, {"max_tokens": 50}),
        (50, {"max_tokens": 30}, {"max_tokens": 30}),
        (50, {"max_tokens": 300}, {"max_tokens": 50}),
        (50, {"max_completion_tokens": 300}, {"max_completion_tokens": 50}),
    ],
)
def test_a_rungs_limit_of_tokens_counts_where_the_clients_is_higher(limit, fields, sent):
    each = house(f"{{rung: reframe, max_tokens: {limit}}}")
    each.ask(**fields)
    first, retry = (request.body for request in each.heard["gagged"].requests)
    limits = {"max_tokens", "max_completion_tokens"}
    assert {name: value for name, value in retry.items() if name in limits} == sent
    assert {name: value for name, value in first.items() if name in limits} == fields


@pytest.mark.parametrize("stream", [False, True])
def test_a_rung_that_takes_longer_than_it_may_is_left_for_the_next(stream):
    slow = {"when": {"call": 2}, "text": HONEST, "first_delay": 30}
    each = house("{rung: reframe, seconds: 0.2}", "{rung: reframe, prompt: Be frank.}", gagged=[slow])
    _, glasnost = each.ask(stream=stream)
    assert [attempt.get("error") for attempt in glasnost["attempts"]] == [None, "rung_too_slow", None]
    assert glasnost["attempts"][2]["rung"] == "reframe-2"


def test_the_time_of_a_rung_is_over_once_its_text_has_begun_to_leave():
    slow = {
        "when": {"call": 2},
        "chunks": [f"{HONEST} It was June. It was dark. ", "They came ", "at night."],
        "delay": 0.6,
    }
    each = house("{rung: reframe, seconds: 1}", gagged=[slow])
    text, glasnost = each.ask(stream=True)
    assert text.endswith("They came at night.")
    assert glasnost["action"] == "reroute"


def test_a_list_of_models_is_asked_one_after_the_other():
    config = """
upstreams: {gagged: {kind: scripted, script: a}, open: {kind: scripted, script: b}}
models:
  asked: {upstream: gagged, ladder: [{rung: models, models: [mute, other]}]}
  mute: {upstream: gagged}
  other: {upstream: open}
"""
    each = House(config, gagged=[{"text": REFUSAL}], open=[{"text": HONEST}])
    _, glasnost = each.ask()
    assert [(attempt["rung"], attempt["model"]) for attempt in glasnost["attempts"]] == [
        ("first", "asked"),
        ("models", "mute"),
        ("models", "other"),
    ]
