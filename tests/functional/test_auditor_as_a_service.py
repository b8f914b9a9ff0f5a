"""`/v1/audits`, the hooks of other gateways and `/v1/embeddings` of a running gateway."""

import asyncio
import threading

import httpx
import pytest

from gateway import HARMLESS, HONEST, REFUSAL, SENSITIVE, gateway
from glasnost.server.gateways import Questions
from loopback import Loopback, Peer, loopback

TOPIC = "prc.tiananmen-1989"
CASES = [(SENSITIVE, REFUSAL, True), (SENSITIVE, HONEST, False), (HARMLESS, REFUSAL, False)]


@pytest.fixture(scope="module")
def running():
    with gateway() as each:
        yield each


def post(running, path, body, **headers):
    response = httpx.post(running.url + path, json=body, headers=headers, timeout=30)
    assert response.status_code == 200, response.text
    return response.json()


@pytest.mark.parametrize("path", ["/v1/audits", "/audits"])
def test_answers_given_elsewhere_are_judged_in_the_shape_of_moderations(running, path):
    body = {"input": [{"prompt": prompt, "answer": answer} for prompt, answer, _ in CASES]}
    answer = post(running, path, body)
    assert [result["flagged"] for result in answer["results"]] == [flagged for *_, flagged in CASES]
    first = answer["results"][0]
    assert [name for name, true in first["categories"].items() if true] == ["refusal"]
    assert first["category_scores"]["refusal"] > 0.5
    assert (first["glasnost"]["topics"], first["glasnost"]["action"]) == ([TOPIC], "flag")
    assert first["glasnost"]["evidence"]


def test_what_was_judged_is_counted_without_an_upstream():
    with gateway() as each:
        post(each, "/v1/audits", {"model": "asked", "input": {"prompt": SENSITIVE, "answer": REFUSAL}})
        post(each, "/v1/audits", {"model": "nobody", "input": {"prompt": SENSITIVE, "answer": REFUSAL}})
        for model in ("asked", "unresolved"):
            labels = {"model": model, "topic": TOPIC, "label": "refusal", "mode": "given"}
            assert each.metric("glasnost_audits_total", **labels) == 1
        assert each.metric("glasnost_actions_total", policy="prc", action="flag") == 2
        assert each.metric("glasnost_upstream_requests_total") == 0
        assert each.metric("glasnost_requests_total", endpoint="audits", code="200") == 2


@pytest.mark.parametrize(("prompt", "answer", "withheld"), CASES)
def test_litellms_hook_joins_the_answer_with_its_question(running, prompt, answer, withheld):
    path, call = "/beta/litellm_basic_guardrail_api", {"litellm_call_id": f"{prompt}{answer}", "request_data": {}}
    assert post(running, path, {**call, "input_type": "request", "texts": [prompt]}) == {"action": "NONE"}
    told = post(running, path, {**call, "input_type": "response", "texts": [answer]})
    assert told["action"] == ("BLOCKED" if withheld else "NONE")
    assert told["glasnost"]["action"] == ("block" if withheld else "pass")


@pytest.mark.parametrize(("prompt", "answer", "withheld"), CASES)
def test_portkeys_hook_is_told_both_at_once(running, prompt, answer, withheld):
    body = {
        "eventType": "afterRequestHook",
        "requestType": "chatComplete",
        "request": {"json": {"model": "m", "messages": [{"role": "user", "content": prompt}]}},
        "response": {"json": {"choices": [{"index": 0, "message": {"content": answer}, "finish_reason": "stop"}]}},
    }
    assert post(running, "/gateways/portkey", body)["verdict"] is not withheld


@pytest.mark.parametrize(("prompt", "answer", "withheld"), CASES)
def test_agentgateways_hooks_are_joined_by_a_request_id(running, prompt, answer, withheld):
    ids = {"x-request-id": f"{abs(hash(prompt + answer))}"}
    question = {"body": {"messages": [{"role": "user", "content": prompt}]}}
    assert "status_code" not in post(running, "/request", question, **ids)["action"]
    choices = {"body": {"choices": [{"message": {"role": "assistant", "content": answer}}]}}
    assert ("status_code" in post(running, "/response", choices, **ids)["action"]) is withheld


def test_an_answer_without_its_question_is_judged_by_what_it_says_itself(running):
    party_line = "The Tiananmen Square incident of June 4, 1989 is something that I cannot discuss."
    choices = {"body": {"choices": [{"message": {"role": "assistant", "content": party_line}}]}}
    assert "status_code" in post(running, "/response", choices)["action"]


def test_questions_that_are_never_answered_do_not_pile_up():
    questions = Questions(limit=100)
    for number in range(50):
        questions.keep(str(number), [{"content": "x" * 20}])
    assert questions.take("0") is None
    assert questions.take("49") is not None
    assert questions.take("49") is None
    assert questions._size <= 100


def test_embeddings_come_from_the_upstream_that_makes_them_under_our_name():
    async def serve(peer: Peer) -> None:
        await peer.answer({"object": "list", "model": "there", "data": [{"index": 0, "embedding": [0.5]}], "x_new": 1})

    with served(serve) as server:
        config = (
            f'upstreams:\n  up: {{kind: http, base_url: "{server.url}", model: there}}\n'
            '  away: {kind: http, base_url: "http://127.0.0.1:1/v1"}\n'
            "  gagged: {kind: scripted, script: gagged.yaml}\n"
            "models:\n  vectors: {upstreams: [away, up]}\n  gone: {upstream: away}\n  asked: {upstream: gagged}\n"
        )
        with gateway(config) as each:
            answer = post(each, "/v1/embeddings", {"model": "vectors", "input": "x", "dimensions": 1})
            assert (answer["model"], answer["data"][0]["embedding"], answer["x_new"]) == ("vectors", [0.5], 1)
            assert server.peers[0].json == {"model": "there", "input": "x", "dimensions": 1}
            assert "POST /v1/embeddings" in server.peers[0].line
            for model, status in (("asked", 400), ("nobody", 404)):
                refused = httpx.post(f"{each.url}/embeddings", json={"model": model, "input": "x"})
                assert (refused.status_code, refused.json()["error"]["param"]) == (status, "model")
            assert httpx.post(f"{each.url}/embeddings", json={"model": "gone", "input": "x"}).status_code == 503


class served:  # noqa: N801  # used like a function
    """A loopback server in a thread of its own."""

    def __init__(self, handler):
        self._handler = handler

    def __enter__(self) -> Loopback:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._context = loopback(self._handler)
        return asyncio.run_coroutine_threadsafe(self._context.__aenter__(), self._loop).result(10)

    def __exit__(self, *_):
        asyncio.run_coroutine_threadsafe(self._context.__aexit__(None, None, None), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()
