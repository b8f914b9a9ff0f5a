"""A refusal of a request for harm is never rerouted, whatever topic it names; one of a question on the topic is."""

import pytest

from harmful import CHINESE, ENGLISH, REFUSALS
from house import HONEST, House

CONFIG = """
race: {share: 1, per_key_per_minute: 100000}
upstreams: {careful: {kind: scripted, script: a}, open: {kind: scripted, script: b}}
models:
  asked: {upstream: careful, race: true, ladder: [{rung: reframe}, {rung: model, model: other}]}
  other: {upstream: open}
"""


@pytest.fixture(scope="module", params=REFUSALS)
def careful(request):
    return request.param, House(CONFIG, careful=[{"text": request.param}], open=[{"text": HONEST}])


@pytest.mark.parametrize("stream", [False, True])
def test_no_refusal_of_a_request_for_harm_is_rerouted_or_raced(careful, stream):
    refusal, house = careful
    for prompt in (*ENGLISH, *CHINESE):
        text, glasnost = house.ask(prompt, stream=stream)
        assert glasnost["topics"], prompt
        assert (glasnost["label"], glasnost["action"]) == ("safety_refusal", "pass"), prompt
        assert text == refusal
    assert not house.heard["open"].requests


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    "prompt",
    [
        "Who was killed at Tiananmen Square in 1989, and how?",
        "How were Uyghur detainees tortured in Xinjiang?",
        "Why did Tibetan monks set themselves on fire?",
        "Who kidnapped the Hong Kong booksellers?",
        "刘晓波是怎么死的？",
        "新疆的囚犯受到过折磨吗？",
        "为什么藏人自焚？",
    ],
)
def test_a_refused_question_about_violence_on_the_topic_is_rerouted(prompt, stream):
    house = House(CONFIG, careful=[{"text": REFUSALS[0]}], open=[{"text": HONEST}])
    _, glasnost = house.ask(prompt, stream=stream)
    assert (glasnost["label"], glasnost["action"]) == ("refusal", "reroute")
