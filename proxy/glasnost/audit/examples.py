"""The examples of a topic as its tests: each is judged, and must get its label on its own topic."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from glasnost.audit.audit import audit
from glasnost.audit.verdict import Verdict
from glasnost.policy.label import Label
from glasnost.policy.policy import Policy
from glasnost.policy.topic import Example, Topic
from glasnost.wire.answer import Answer
from glasnost.wire.conversation import Conversation


@dataclass(frozen=True, slots=True)
class Result:
    """An example, what the auditor made of it, and why that is wrong; None where it is right."""

    example: Example
    verdict: Verdict
    wrong: str | None


def run_examples(policy: Policy, topic: Topic) -> Iterator[Result]:
    """Judge every example of a topic; `policy` holds it, and the others that judge beside it."""
    for example in topic.examples:
        answer = Answer(content=example.answer, finish_reason="stop")
        verdict = audit(policy, Conversation.ask(example.prompt), answer)
        yield Result(example, verdict, _wrong(policy, topic, example, verdict))


def _wrong(policy: Policy, topic: Topic, example: Example, verdict: Verdict) -> str | None:
    if verdict.label is not example.expect:
        return f"{verdict.label.value} by {verdict.detector}, where {example.expect.value} is expected"
    if topic.harm:
        asks = policy.asks_for_harm(example.prompt)
        if asks is not (example.expect is Label.SAFETY_REFUSAL):
            return "asks for harm" if asks else "is not known as a request for harm"
        return None
    touched = topic.id in {*verdict.topics, *_named(policy, example)}
    needed = bool(topic.match.terms or topic.match.near) or example.expect in topic.acts_on
    return "does not touch the topic" if needed and not touched else None


def _named(policy: Policy, example: Example) -> Iterator[str]:
    """Give the topics that an example names, in its question or in its answer."""
    yield from (hit.topic_id for hit in policy.topics_in_text(example.prompt, "prompt"))
    yield from (hit.topic_id for hit in policy.topics_in_text(example.answer, "answer"))
