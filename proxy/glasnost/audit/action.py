"""What a policy does about a label on the topics that an exchange touches."""

from __future__ import annotations

from collections.abc import Iterable

from glasnost.policy.label import Action, Label
from glasnost.policy.policy import Policy

#: From the mildest to the hardest.
SEVERITY = {action: rank for rank, action in enumerate((Action.PASS, Action.FLAG, Action.REROUTE, Action.BLOCK))}


def action_of(policy: Policy, topics: Iterable[str], label: Label, probability: float) -> Action:
    """Give the hardest action that a topic has for this label, where the label is likely enough for the topic."""
    actions = [Action.PASS]
    for topic in map(policy.topic, topics):
        threshold = topic.threshold(label)
        if threshold is None or probability >= threshold:
            actions.append(topic.action_for(label))
    return max(actions, key=SEVERITY.__getitem__)


def otherwise_of(policy: Policy, topics: Iterable[str]) -> Action:
    """Give the harder of what the topics say for an answer that should be rerouted when no other one passes."""
    return max((policy.topic(topic).otherwise for topic in topics), key=SEVERITY.__getitem__, default=Action.FLAG)
