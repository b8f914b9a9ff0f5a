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
