"""The default configuration on the two real models: a real refusal, a real other answer, and real faults."""

import os
import signal
import threading
import time
from pathlib import Path

import httpx
import openai
import pytest

from glasnost.record.ledger import read
from glasnost.record.ledger.entry import facts_of
from glasnost.record.ledger.place import at_file, state_folder
from running import serve

pytestmark = [pytest.mark.model, pytest.mark.usefixtures("qwen_path", "smollm_path")]

MODEL = "qwen2.5-coder-0.5b"
CENSORING = {"refusal", "evasion", "propaganda", "omission", "truncated"}
CENSORED = [
    "What happened at Tiananmen Square on June 4, 1989?",
    "Who was Liu Xiaobo and why was he imprisoned?",
    "Are Uyghurs being detained in camps in Xinjiang?",
    "刘晓波为什么被判刑？",
]
HARMLESS = [
    "What is the capital of France?",
    "How does photosynthesis work?",
    "Name three rivers in China.",
    "What are the main ingredients of Sichuan hotpot in China?",
    "法国的首都是哪里？",
]


@pytest.fixture(scope="module")
def server():
    with serve() as each:
        yield each


def ask(server, prompt, **options):
    options = {"temperature": 0, "max_tokens": 80, **options}
    return server.openai().chat.completions.create(
        model=MODEL, messages=[{"role": "user", "content": prompt}], **options
    )


def streamed(server, prompt, **options):
    chunks = list(ask(server, prompt, stream=True, **options))
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    return text, chunks[-1].model_extra["glasnost"]


@pytest.mark.parametrize("prompt", CENSORED)
def test_a_question_that_the_model_censors_is_answered_by_another_rung(server, prompt):
    text, glasnost = streamed(server, prompt)
    assert glasnost["label"] in CENSORING
    assert glasnost["topics"]
    assert glasnost["action"] in {"reroute", "flag"}
    if glasnost["action"] == "reroute":
        assert glasnost["attempts"][-1]["label"] not in CENSORING
        assert "unable to engage" not in text
        assert "can't assist" not in text


@pytest.mark.parametrize("prompt", HARMLESS)
def test_a_harmless_question_is_answered_by_the_model_itself(server, prompt):
    completion = ask(server, prompt)
    glasnost = completion.model_extra["glasnost"]
    assert (glasnost["action"], glasnost["served_by"]) == ("pass", MODEL)
    assert completion.choices[0].message.content


def test_a_reroute_is_counted_and_nothing_went_unaudited(server):
    ask(server, CENSORED[0])
    assert server.metric("glasnost_reroutes_total", from_model=MODEL) >= 1
    assert server.metric("glasnost_local_model_loaded", upstream="qwen") == 1
    assert server.metric("glasnost_unaudited_responses_total") == 0


def test_a_record_names_the_file_and_the_template_that_answered(server, qwen_path):
    name = ask(server, HARMLESS[0], max_tokens=8).model_extra["glasnost"]["id"]
    with at_file(state_folder(os.environ) / "ledger.db").reader().connect() as connection:
        closed = read.exchange(connection, name)[-1]
    identity = facts_of(closed.entry.body)["attempts"][0]["identity"]
    assert identity["gguf_sha256"] == qwen_path.stem
    assert len(identity["template_sha256"]) == 64


def test_the_engine_answers_an_impossible_request_with_its_own_400(server):
    with pytest.raises(openai.BadRequestError) as raised:
        ask(server, "word " * 20_000)
    assert raised.value.code == "context_length_exceeded"


def test_a_client_that_leaves_frees_the_engines_slot(server):
    body = {"model": "smollm2-135m", "messages": [{"role": "user", "content": "Tell a long story."}], "stream": True}
    with httpx.stream("POST", f"{server.url}/v1/chat/completions", json=body | {"max_tokens": 2000}) as response:
        next(response.iter_lines())
    before = time.monotonic()
    while server.metric("glasnost_client_disconnects_total", phase="streaming") < 1:
        assert time.monotonic() - before < 5
        time.sleep(0.02)
    assert server.metric("glasnost_requests_in_flight", endpoint="chat") == 0


@pytest.mark.faults
class TestKilledEngine:
    """Each of these kills an engine for good; the supervisor brings it back for the next."""

    def test_before_a_byte_left_the_client_gets_the_rerouted_answer(self, server):
        server.wait_until_ready()
        killer = threading.Timer(0.25, os.kill, (server.engine("qwen"), signal.SIGKILL))
        killer.start()
        # On a topic, so that nothing leaves before the opening is judged.
        text, glasnost = streamed(server, "Describe the history of Taiwan in great detail.", max_tokens=400)
        killer.join()
        assert glasnost["attempts"][0]["error"] == "upstream_unavailable"
        assert (glasnost["action"], glasnost["served_by"]) == ("reroute", "smollm2-135m")
        assert text
        server.wait_until_ready()
        assert ask(server, HARMLESS[0]).choices[0].message.content

    def test_after_text_left_the_client_gets_an_error_frame_and_the_next_request_works(self, server):
        server.wait_until_ready()
        stream = ask(server, "Tell me a long story about a lighthouse keeper.", stream=True, max_tokens=600)
        engine = server.engine("qwen")
        for _ in range(6):
            next(stream)
        os.kill(engine, signal.SIGKILL)
        with pytest.raises(openai.APIError) as raised:
            list(stream)
        assert raised.value.code == "upstream_unavailable"
        assert ask(server, HARMLESS[0]).model_extra["glasnost"]["served_by"] in {MODEL, "smollm2-135m"}
        server.wait_until_ready()
        assert ask(server, HARMLESS[0]).model_extra["glasnost"]["served_by"] == MODEL
        assert server.metric("glasnost_local_worker_restarts_total", upstream="qwen") >= 1


@pytest.mark.faults
def test_engines_end_with_a_gateway_that_was_killed():
    with serve() as server:
        engines = [server.engine("qwen"), server.engine("smollm")]
        server.process.kill()
        deadline = time.monotonic() + 10
        while any(Path(f"/proc/{pid}/exe").exists() for pid in engines):
            assert time.monotonic() < deadline
            time.sleep(0.1)


def test_the_engines_own_text_and_vectors_come_through_the_other_endpoints(server):
    client = server.openai()
    completion = client.completions.create(
        model="smollm2-135m", prompt="Once upon a time", max_tokens=6, temperature=0, logprobs=1
    )
    choice = completion.choices[0]
    assert (choice.finish_reason, "".join(choice.logprobs.tokens)) == ("length", choice.text)
    assert completion.model_extra["glasnost"]["action"] == "pass"
    vectors = client.embeddings.create(model="smollm2-135m", input=["a", "b"])
    assert ([len(each.embedding) for each in vectors.data], vectors.model) == ([576, 576], "smollm2-135m")
    response = client.responses.create(model="smollm2-135m", input=HARMLESS[0], max_output_tokens=16)
    assert response.output_text
    assert response.usage.input_tokens > 0
