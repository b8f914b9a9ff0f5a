"""`/v1/completions` through the official client, over an upstream that has the path and one that has chats alone."""

import openai
import pytest

from gateway import CONFIG, HARMLESS, HONEST, REFUSAL, SENSITIVE, gateway, rule, script
from glasnost.pipeline.rungs.raw import Raw
from glasnost.wire.completions import CompletionsDialect

OVER_HTTP = """
upstreams:
  gagged: {{kind: http, base_url: "{url}/v1", model: gagged}}
  open: {{kind: scripted, script: open.yaml}}
models:
  asked: {{upstream: gagged, ladder: [{{rung: model, model: alternative}}]}}
  alternative: {{upstream: open}}
"""
SERVER = """
upstreams:
  gagged: {kind: scripted, script: gagged.yaml}
models:
  gagged: {upstream: gagged}
"""
PARIS = "The capital of France is Paris."


@pytest.fixture(scope="module", params=["chats alone", "over http"])
def client(request):
    if request.param == "chats alone":
        with gateway() as each, each.openai() as client:
            yield client
    else:
        with gateway(SERVER) as server, gateway(OVER_HTTP.format(url=server.url)) as each, each.openai() as client:
            yield client


def streamed(client, prompt, **fields):
    chunks = list(client.completions.create(model="asked", prompt=prompt, stream=True, **fields))
    texts: dict[int, str] = {}
    for chunk in chunks:
        for choice in chunk.choices:
            texts[choice.index] = texts.get(choice.index, "") + choice.text
    return texts, chunks


def test_a_harmless_prompt_is_continued(client):
    completion = client.completions.create(model="asked", prompt=HARMLESS)
    assert (completion.object, completion.choices[0].text, completion.model) == ("text_completion", PARIS, "asked")
    assert completion.choices[0].finish_reason == "stop"
    assert completion.model_extra["glasnost"]["action"] == "pass"
    texts, chunks = streamed(client, HARMLESS, stream_options={"include_usage": True})
    assert texts == {0: PARIS}
    assert chunks[-1].model_extra["glasnost"]["action"] == "pass"
    assert chunks[-1].usage is not None
    assert {chunk.object for chunk in chunks} == {"text_completion"}


def test_a_censored_completion_is_rerouted_before_a_byte_of_it_left(client):
    completion = client.completions.create(model="asked", prompt=SENSITIVE)
    assert (completion.choices[0].text, completion.model) == (HONEST, "alternative")
    glasnost = completion.model_extra["glasnost"]
    assert (glasnost["label"], glasnost["action"], glasnost["topics"]) == ("refusal", "reroute", ["prc.tiananmen-1989"])
    texts, chunks = streamed(client, SENSITIVE)
    assert texts == {0: HONEST}
    assert chunks[-1].model_extra["glasnost"]["label"] == "refusal"


def test_each_of_several_prompts_is_judged_by_itself(client):
    completion = client.completions.create(model="asked", prompt=[SENSITIVE, HARMLESS], echo=True)
    assert [choice.text for choice in completion.choices] == [SENSITIVE + HONEST, HARMLESS + PARIS]
    assert [each["action"] for each in completion.model_extra["glasnost"]] == ["reroute", "pass"]
    texts, chunks = streamed(client, [SENSITIVE, HARMLESS])
    assert texts == {0: HONEST, 1: PARIS}
    actions = [chunk.model_extra["glasnost"]["action"] for chunk in chunks if "glasnost" in chunk.model_extra]
    assert actions == ["reroute", "pass"]


def test_an_echoed_refusal_of_the_clients_own_is_not_held_against_the_model(client):
    prompt = f"{REFUSAL}\n\nQ: {HARMLESS}"
    completion = client.completions.create(model="asked", prompt=prompt, echo=True)
    assert completion.choices[0].text == prompt + PARIS
    assert completion.model_extra["glasnost"]["label"] == "complete"


def test_rungs_that_need_a_chat_are_skipped_with_a_reason():
    ladder = "[{rung: prefill}, {rung: language}, {rung: reframe}, {rung: model, model: alternative}]"
    config = CONFIG.replace("[{rung: reframe}, {rung: model, model: alternative}]", ladder)
    with gateway(config) as each, each.openai() as client:
        completion = client.completions.create(model="asked", prompt=SENSITIVE)
    assert completion.choices[0].text == HONEST
    glasnost = completion.model_extra["glasnost"]
    assert [skipped["rung"] for skipped in glasnost["skipped"]] == ["prefill", "language"]
    assert [attempt["rung"] for attempt in glasnost["attempts"]] == ["first", "reframe", "model"]


def test_bare_text_is_not_made_bare_once_more():
    (request,) = CompletionsDialect({"model": "m", "prompt": "Once"}, "1", 0).requests
    assert Raw().lacks(request) == "It is bare text already."


def test_the_first_prompt_that_fails_ends_the_others_and_a_stream_tells_it():
    rules = [rule("", when={"contains": "broken"}, fault={"status": 400, "error": {"message": "Too broken."}})]
    slow = [rule("Paris.", delay=0.2)]
    with gateway(CONFIG, gagged=script(*rules, *slow)) as each, each.openai() as client:
        with pytest.raises(openai.BadRequestError, match="Too broken"):
            client.completions.create(model="asked", prompt=["slow", "broken", "slow"])
        with pytest.raises(openai.APIError, match="Too broken"):
            list(client.completions.create(model="asked", prompt=["slow", "broken"], stream=True))


def test_token_ids_are_refused_since_nobody_can_tell_what_they_say(client):
    with pytest.raises(openai.BadRequestError) as raised:
        client.completions.create(model="asked", prompt=[1, 2, 3])
    assert raised.value.param == "prompt"
