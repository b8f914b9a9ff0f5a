"""Thinking in front of an answer that has to keep to a grammar."""

from __future__ import annotations

from glasnost.engine.grammar import Rules, literal, until
from glasnost.engine.reasoning import Tags

_GAP = r"[ \t\r\n]{0,8}"


def behind_thought(rules: Rules, answer: str, tags: tuple[Tags, ...], inside: Tags | None) -> str:
    """Give the body of a rule: the rule `answer`, behind a thought in one of `tags` or none.

    Where the prompt has opened a thought, `inside` are its tags: it goes on, and the answer begins where it ends.
    """
    if inside is not None:
        return f"{_rest(rules, inside)} {answer}"
    thoughts = (f"{literal(each.open)} {_rest(rules, each)} {answer}" for each in tags)
    return " | ".join([answer, *thoughts])


def _rest(rules: Rules, tags: Tags) -> str:
    return f"{until(rules, tags.close)} {rules.once('GAP', _GAP)}"
