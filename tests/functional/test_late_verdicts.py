"""An answer that turns out censored when some of it has left: flagged, stopped, or followed by another answer."""

import json

import httpx
import openai
import pytest

from gateway import CONFIG, HONEST, REFUSAL, SENSITIVE, body, gateway, rule, script

OBSERVED = CONFIG.replace("asked: {upstream", "asked: {mode: observe, upstream")
SEPARATOR = "\n\n---\n\n*The answer above left out or refused what was asked. Another answer follows.*\n\n"
TOOL_CALL = {"tool_calls": [{"name": "lookup", "arguments": json.dumps({"say": REFUSAL})}]}


def late(each, ending):
    return each.metric("glasnost_late_verdicts_total", model="asked", after_release=ending)


def settings(ending, **more):
    return OBSERVED + f"stream: {json.dumps({'after_release': ending, **more})}\n"


def read(each, **fields):
    """Give the text of each choice, and all events."""
    with httpx.stream("POST", f"{each.url}/v1/chat/completions", json=body(SENSITIVE, stream=True, **fields)) as got:
        lines = [line.removeprefix("data: ") for line in got.iter_lines() if line.startswith("data: ")]
    chunks = [json.loads(line) for line in lines if line != "[DONE]"]
    texts = {}
    for chunk in chunks:
        for choice in chunk.get("choices", ()):
            texts[choice["index"]] = texts.get(choice["index"], "") + (choice["delta"].get("content") or "")
    return texts, chunks, lines[-1] == "[DONE]"


def test_flag_marks_the_last_chunk():
    with gateway(settings("flag")) as each:
        texts, chunks, done = read(each)
        assert (texts, done) == ({0: REFUSAL}, True)
        glasnost = chunks[-1]["glasnost"]
        assert (glasnost["action"], glasnost["after_release"], glasnost["label"]) == ("flag", "flag", "refusal")
        assert (late(each, "flag"), late(each, "stop"), late(each, "amend")) == (1, 0, 0)


def test_stop_ends_with_an_error_frame_that_holds_the_verdict():
    with gateway(settings("stop")) as each:
        texts, chunks, done = read(each)
        assert REFUSAL.startswith(texts[0])
        assert not done
        assert chunks[-1]["error"]["code"] == "answer_stopped"
        assert chunks[-1]["glasnost"]["after_release"] == "stop"
        assert chunks[-1]["glasnost"]["label"] == "refusal"
        assert not any(choice["finish_reason"] for chunk in chunks[:-1] for choice in chunk["choices"])
        assert (late(each, "flag"), late(each, "stop"), late(each, "amend")) == (0, 1, 0)
        assert each.metric("glasnost_actions_total", policy="prc", action="block") == 1
        with pytest.raises(openai.APIError, match="stopped by policy"):
            list(
                each.openai().chat.completions.create(
                    model="asked", messages=[{"role": "user", "content": SENSITIVE}], stream=True
                )
            )


def test_amend_lets_the_alternative_follow_behind_a_separator_as_one_stream():
    with gateway(settings("amend")) as each:
        texts, chunks, done = read(each, stream_options={"include_usage": True})
        assert (texts, done) == ({0: REFUSAL + SEPARATOR + HONEST}, True)
        glasnost = chunks[-1]["glasnost"]
        assert (glasnost["action"], glasnost["after_release"]) == ("reroute", "amend")
        assert (glasnost["label"], glasnost["served_by"]) == ("refusal", "alternative")
        assert [attempt["rung"] for attempt in glasnost["attempts"]] == ["first", "reframe", "model"]
        assert len({chunk["id"] for chunk in chunks}) == 1
        assert sum("role" in choice["delta"] for chunk in chunks for choice in chunk["choices"]) == 1
        assert sum(bool(choice["finish_reason"]) for chunk in chunks for choice in chunk["choices"]) == 1
        assert [chunk["model"] for chunk in chunks[:1] + chunks[-1:]] == ["asked", "alternative"]
        assert (late(each, "flag"), late(each, "stop"), late(each, "amend")) == (0, 0, 1)


def test_the_official_client_reads_an_amended_stream_as_one_message():
    with (
        gateway(settings("amend", separator=" *** ")) as each,
        each.openai().chat.completions.stream(
            model="asked", messages=[{"role": "user", "content": SENSITIVE}]
        ) as stream,
    ):
        message = stream.get_final_completion().choices[0].message
        assert (message.role, message.content) == ("assistant", f"{REFUSAL} *** {HONEST}")


@pytest.mark.parametrize("alternative", [rule(REFUSAL), {"fault": {"status": 503, "error": {}}}])
def test_where_no_alternative_passes_the_answer_ends_as_it_is_and_flagged(alternative):
    with gateway(settings("amend"), answers=script(alternative)) as each:
        texts, chunks, done = read(each)
        assert (texts, done) == ({0: REFUSAL}, True)
        glasnost = chunks[-1]["glasnost"]
        assert (glasnost["action"], glasnost["after_release"], glasnost["served_by"]) == ("flag", "flag", "asked")
        assert chunks[-1]["choices"][0]["finish_reason"] == "stop"
        assert (late(each, "flag"), late(each, "amend")) == (1, 0)


def test_an_answer_that_was_cut_and_not_amended_ends_as_filtered():
    canned = "Troops fired on unarmed people in 1989. Sorry, that's beyond my current scope. Let's talk about something"
    config = settings("amend").replace("mode: observe", "mode: window")
    with gateway(config, gagged=script(rule(canned + " else. " * 50)), answers=script(rule(REFUSAL))) as each:
        texts, chunks, done = read(each)
        assert done
        assert texts[0].startswith("Troops fired")
        assert len(texts[0]) < len(canned) + 20
        assert chunks[-1]["choices"][0]["finish_reason"] == "content_filter"
        assert chunks[-1]["glasnost"]["after_release"] == "flag"


@pytest.mark.parametrize(
    ("answer", "fields"),
    [(TOOL_CALL | {"finish_reason": "tool_calls"}, {}), (rule(REFUSAL), {"response_format": {"type": "json_object"}})],
)
def test_neither_a_tool_call_nor_json_is_amended_but_stopped(answer, fields):
    with gateway(settings("amend"), gagged=script(answer)) as each:
        _, chunks, done = read(each, **fields)
        assert not done
        assert chunks[-1]["error"]["code"] == "answer_stopped"


def test_a_topic_says_what_a_late_verdict_does():
    with gateway(settings("flag", topics={"prc.tiananmen-1989": {"after_release": "stop"}})) as each:
        assert read(each)[1][-1]["error"]["code"] == "answer_stopped"


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("responses", {"input": SENSITIVE}),
        ("messages", {"max_tokens": 99, "messages": [{"role": "user", "content": SENSITIVE}]}),
        ("completions", {"prompt": SENSITIVE}),
    ],
)
def test_the_other_apis_stop_and_amend_too(path, fields):
    asked = {"model": "asked", "stream": True, **fields}
    with gateway(settings("stop")) as each:
        stopped = httpx.post(f"{each.url}/v1/{path}", json=asked, timeout=30).text
    assert '"after_release":"stop"' in stopped
    assert "stopped by policy" in stopped
    assert "[DONE]" not in stopped
    with gateway(settings("amend", separator=" *** ")) as each:
        amended = httpx.post(f"{each.url}/v1/{path}", json=asked, timeout=30).text
    assert '"after_release":"amend"' in amended
    assert REFUSAL[:5] in amended
    assert " *** " in amended
    assert HONEST[-5:] in amended


def test_every_choice_is_amended_and_none_after_it_has_ended():
    begun = "Troops fired on unarmed people in 1989. "
    canned = script(rule(f"{begun}Sorry, that's beyond my current scope. Let's talk about something else."))
    config = settings("amend", separator="|").replace("mode: observe", "mode: window").replace("{rung: reframe}, ", "")
    with gateway(config, gagged=canned) as each:
        texts, chunks, done = read(each, n=2)
    assert done
    assert texts == {0: f"{begun}|{HONEST}", 1: f"{begun}|{HONEST}"}
    ends = [choice["index"] for chunk in chunks for choice in chunk["choices"] if choice["finish_reason"]]
    assert sorted(ends) == [0, 1]
    with gateway(settings("amend")) as each:
        assert read(each, n=2)[1][-1]["error"]["code"] == "answer_stopped"
