"""Scripts, and the upstream that plays them."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from glasnost.config import TimeoutSettings
from glasnost.errors import ConfigError, UpstreamError, UpstreamRejected, UpstreamTimeout, UpstreamUnavailable
from glasnost.upstream import script as script_module
from glasnost.upstream.script import parse_script
from glasnost.upstream.scripted import ScriptPlayer
from glasnost.wire.answer import answers_of, fragments_of
from glasnost.wire.chat import ChatRequest
from loopback import ask


def player(text: str, **timeouts: float) -> ScriptPlayer:
    return ScriptPlayer("play", parse_script(text, "s.yaml"), TimeoutSettings(**timeouts))


def complete(upstream: ScriptPlayer, request: ChatRequest | None = None) -> dict[str, Any]:
    return asyncio.run(upstream.complete(request or ask()))


def stream(upstream: ScriptPlayer, request: ChatRequest | None = None) -> list[dict[str, Any]]:
    async def run() -> list[dict[str, Any]]:
        return [chunk async for chunk in upstream.stream(request or ask())]

    return asyncio.run(run())


def said(chunks: list[dict[str, Any]]) -> list[str]:
    return [fragment.text for chunk in chunks for fragment in fragments_of(chunk)]


def text_of(completion: dict[str, Any]) -> str:
    return answers_of(completion)[0].content


def test_the_first_rule_that_fits_answers():
    upstream = player("""
rules:
  - {when: {contains: Tiananmen}, text: refused}
  - {when: {matches: '(?i)^who\\b'}, text: who}
  - {when: {model: b}, text: model}
  - {when: {system: facts}, text: reframed}
  - {when: {call: 6}, text: sixth}
  - {text: rest}
""")
    reframed = ChatRequest.parse(
        {"model": "m", "messages": [{"role": "system", "content": "give facts"}, {"role": "user", "content": "x"}]}
    )
    requests = [ask("about Tiananmen"), ask("Who?"), ask("x", "b"), reframed, ask("x"), ask("x"), ask("x")]
    assert [text_of(complete(upstream, request)) for request in requests] == [
        "refused",
        "who",
        "model",
        "reframed",
        "rest",
        "sixth",
        "rest",
    ]


def test_all_conditions_of_a_rule_must_hold():
    upstream = player("rules: [{when: {contains: a, call: 2}, text: both}, {text: rest}]")
    assert [text_of(complete(upstream, ask(prompt))) for prompt in ("a", "a", "a")] == ["rest", "both", "rest"]


def test_a_request_without_a_rule_is_an_error():
    with pytest.raises(UpstreamError, match="no rule"):
        complete(player("rules: [{when: {contains: a}, text: x}]"), ask("b"))


def test_a_text_is_split_as_the_script_says_and_whole_otherwise():
    assert said(stream(player("rules: [{text: 天安门广场, split: 2}]"))) == ["天安", "门广", "场"]
    assert said(stream(player("rules: [{text: abc}]"))) == ["abc"]
    assert said(stream(player("rules: [{chunks: [a, '', bc]}]"))) == ["a", "bc"]


def test_both_ways_of_asking_give_the_same_answer():
    text = """
rules:
  - reasoning: hm
    text: yes
    split: 1
    finish_reason: tool_calls
    tool_calls: [{name: f, arguments: '{"a": 1}'}]
    usage: {total_tokens: 5}
"""
    text = text.replace("yes", "'yes'")
    whole, chunks = complete(player(text)), stream(player(text))
    answer = answers_of(whole)[0]
    assert (answer.reasoning, answer.content, answer.tool_arguments) == ("hm", "yes", '{"a": 1}')
    assert said(chunks) == ["hm", "y", "e", "s", '{"a": 1}']
    assert chunks[-2]["choices"][0]["finish_reason"] == answer.finish_reason == "tool_calls"
    assert chunks[-1]["usage"] == whole["usage"] == {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 5}
    assert chunks[-1]["choices"] == []


def test_delays_are_kept():
    upstream = player("rules: [{text: abc, split: 1, first_delay: 0.2, delay: 0.05}]")
    began = time.monotonic()
    stream(upstream)
    assert 0.3 <= time.monotonic() - began < 1


def test_a_status_fault_rejects_like_a_server():
    rule = "rules: [{fault: {status: 429, retry_after: 7, error: {message: slow down, code: rate_limit}}}]"
    for call in (complete, stream):
        with pytest.raises(UpstreamRejected, match="slow down") as caught:
            call(player(rule))
        assert (caught.value.status, caught.value.retry_after) == (429, 7)
        assert caught.value.error["code"] == "rate_limit"


def test_a_cut_comes_after_its_chunks():
    async def run() -> list[str]:
        got: list[dict[str, Any]] = []
        chunks = player("rules: [{text: abcd, split: 1, fault: {cut_after: 2}}]").stream(ask())
        for _ in range(3):
            got.append(await anext(chunks))  # noqa: PERF401 - the fourth raises
        with pytest.raises(UpstreamUnavailable):
            await anext(chunks)
        return said(got)

    assert asyncio.run(run()) == ["a", "b"]
    with pytest.raises(UpstreamUnavailable):
        complete(player("rules: [{text: a, fault: {cut_after: 9}}]"))


def test_a_hang_ends_with_the_timeout_of_its_phase():
    rule = "rules: [{{text: abcd, split: 1, fault: {{hang_after: {0}}}}}]"
    for after, phase in ((0, "ttft"), (2, "idle"), (9, "idle")):
        with pytest.raises(UpstreamTimeout) as caught:
            stream(player(rule.format(after), first_token=0.1, idle=0.1))
        assert caught.value.phase == phase
    with pytest.raises(UpstreamTimeout) as caught:
        complete(player(rule.format(2), total=0.1))
    assert caught.value.phase == "total"


def test_every_problem_of_a_script_is_told_with_its_path_and_line():
    text = """rules:
  - {text: a, chunks: [b]}
  - {when: {matches: '('}, text: x}
  - {fault: {status: 200}}
  - {fault: {status: 500, cut_after: 1}}
  - {delay: -1, colour: red}
  - {text: good}
"""
    with pytest.raises(ConfigError) as caught:
        parse_script(text, "s.yaml")
    told = {(problem.path, problem.line) for problem in caught.value.problems}
    assert told == {
        ("rules[0]", 2),
        ("rules[1].when.matches", 3),
        ("rules[2].fault.status", 4),
        ("rules[3].fault", 5),
        ("rules[4].delay", 6),
        ("rules[4].colour", 6),
    }


@pytest.mark.parametrize("text", ["", "[]", "rules: []", "rules: [{text: &a x}]", "rules: [{text: a, text: b}]", "{"])
def test_what_is_no_script_is_refused(text):
    with pytest.raises(ConfigError):
        parse_script(text, "s.yaml")


def test_the_example_in_the_documentation_is_a_script():
    assert script_module.__doc__ is not None
    _, _, example = script_module.__doc__.partition("\n\n")
    # The example shows one fault a rule for each kind; two `fault` keys never stand in one rule.
    assert len(parse_script(example, "example").rules) == 4


def test_choices_are_alike_and_log_probabilities_are_there_where_they_are_asked_for():
    upstream = player('rules: [{text: "Paris.", split: 4}]')
    request = ask(n=2, logprobs=True, top_logprobs=1)
    whole, chunks = complete(upstream, request), stream(upstream, request)
    assert [choice["index"] for choice in whole["choices"]] == [0, 1]
    assert [answer.content for answer in answers_of(whole)] == ["Paris.", "Paris."]
    tokens = whole["choices"][1]["logprobs"]["content"]
    assert [(token["token"], token["top_logprobs"][0]["token"]) for token in tokens] == [("Pari", "Pari"), ("s.", "s.")]
    for index in range(2):
        choices = [choice for chunk in chunks for choice in chunk["choices"] if choice["index"] == index]
        assert "".join(choice["delta"].get("content", "") for choice in choices) == "Paris."
        assert [choice["logprobs"]["content"][0]["token"] for choice in choices if choice["logprobs"]] == ["Pari", "s."]
        assert choices[-1]["finish_reason"] == "stop"
