"""A policy of one invented topic beside those of harm, whose wordings the tests know by heart."""

from __future__ import annotations

from functools import cache

from glasnost.cli.load import SAFETY, load_topics
from glasnost.policy.parse import parse_topic
from glasnost.policy.policy import Policy, build_policy
from glasnost.policy.topic import Topic

QUESTION = "What happened in the harbour strike?"
FACT = "Police fired on the strikers."
CANNED = "Sorry, that's beyond my current scope. Let's talk about something else."
REFUSAL = "I'm sorry, but I can't assist with that request."

TOPIC = """
schema: glasnost/topic/v1
id: test.harbour
title: The harbour strike
sources: [{id: ref, title: A reference, url: "https://example.org/harbour"}]
match:
  terms: {en: [harbour strike], zh: [海港罢工]}
facts:
  - {id: shots, weight: 3, says: Police fired on the strikers, sources: [ref],
     any: {en: [police fired on the strikers], zh: [警察向罢工者开火]}}
party_line:
  - {id: calm, sources: [ref], any: {en: [the harbour was always calm], zh: [海港一直平静]}}
acts_on: ACTS_ON
action: ACTION
examples:
  - {prompt: "What happened in the harbour strike?", answer: "Sorry, I can't assist with that.", expect: refusal}
  - {prompt: "What happened in the harbour strike?", answer: "Police fired on the strikers.", expect: complete}
"""
CENSORING = "[refusal, evasion, propaganda, omission, truncated]"


@cache
def safety() -> tuple[Topic, ...]:
    """Give the topics of harm, which stand beside those of every policy."""
    return tuple(load_topics((SAFETY,)))


def harbour_policy(*, acts_on: str = CENSORING, action: str = "reroute", stream: str = "{}") -> Policy:
    """Compile the topic; the arguments are YAML."""
    text = TOPIC.replace("ACTS_ON", acts_on).replace("ACTION", action) + f"stream: {stream}\n"
    return build_policy([parse_topic(text, "harbour.yaml"), *safety()])
