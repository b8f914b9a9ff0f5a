"""A policy: a set of topics compiled once, asked for every exchange, and named by the hash of its content."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import orjson

from glasnost.errors import PolicyError, Problem
from glasnost.policy.lexicon import Lexicon, parts_of
from glasnost.policy.matcher import TopicMatcher
from glasnost.policy.normalise import Normalised, normalise

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from glasnost.policy.topic import Topic
    from glasnost.wire.conversation import Conversation

Where = Literal["prompt", "history", "answer"]


@dataclass(frozen=True, slots=True)
class TopicHit:
    """A topic is touched: by which listed term, and where; offsets are those of the original text.

    `turn` counts the turns of the history where `where` is `history`, and is 0 elsewhere.
    """

    topic_id: str
    where: Where
    term: str
    start: int
    end: int
    turn: int = 0


@dataclass(frozen=True, slots=True)
class PhraseHit:
    """A wording of a fact or of a party line; offsets are those of the normalised text it was looked for in."""

    topic_id: str
    item_id: str
    phrase: str
    start: int
    end: int


class Policy:
    """Topics and what is compiled from them; made by `build_policy`, never changed."""

    __slots__ = ("_answered", "_asked", "_by_id", "_harm", "_phrases", "_reasons", "hash", "topics")

    def __init__(self, topics: tuple[Topic, ...]) -> None:
        self.topics = topics
        self.hash = _hash(topics)
        self._by_id = {topic.id: topic for topic in topics}
        acting = [topic for topic in topics if not topic.harm]
        self._asked = TopicMatcher(acting)
        self._answered = TopicMatcher((topic for topic in acting if not topic.wide), asked=False)
        self._harm = TopicMatcher(topic for topic in topics if topic.harm)
        self._reasons = Lexicon((topic.id, phrase.text) for topic in acting for phrase in topic.match.reasons)
        self._phrases = Lexicon(_wordings(topics))

    def topic(self, topic_id: str) -> Topic:
        """Give the topic of this id; KeyError when there is none."""
        return self._by_id[topic_id]

    def all_wide(self, topic_ids: Iterable[str]) -> bool:
        """Tell whether there is no narrow topic among these."""
        return all(self._by_id[topic_id].wide for topic_id in topic_ids)

    def topics_in(self, conversation: Conversation) -> tuple[TopicHit, ...]:
        """Find the topics that the prompt touches, then those that the history does."""
        hits = list(self.topics_in_text(conversation.prompt, "prompt"))
        for number, turn in enumerate(conversation.history):
            hits += self.topics_in_text(turn.text, "history", number)
        return tuple(hits)

    def topics_in_text(self, text: str | Normalised, where: Where = "prompt", turn: int = 0) -> tuple[TopicHit, ...]:
        """Find the topics that one text touches, by position; an already normalised text is not normalised again.

        In an answer fewer names count than in what is asked (see `topic.Match`).
        """
        seen = normalise(text) if isinstance(text, str) else text
        matcher = self._answered if where == "answer" else self._asked
        return tuple(
            TopicHit(span.topic_id, where, span.term, *seen.span(span.start, span.end), turn)
            for span in matcher.find(seen)
        )

    @property
    def has_reasons(self) -> bool:
        """Tell whether an answer can touch a topic by the reason that it gives for declining."""
        return any(topic.match.reasons for topic in self.topics)

    def reasons_in(self, normalised: Normalised) -> tuple[str, ...]:
        """Find the topics that a sentence names as the reason for declining."""
        return tuple(dict.fromkeys(hit.payload for hit in self._reasons.find(normalised)))

    def asks_for_harm(self, prompt: str) -> bool:
        """Tell whether a prompt asks for something that any careful model declines, by the topics of harm."""
        return bool(self._harm.find(normalise(prompt)))

    def phrases_in(self, normalised: Normalised) -> tuple[list[PhraseHit], list[PhraseHit]]:
        """Find the wordings of every topic's facts, and those of its party line, in one pass."""
        facts: list[PhraseHit] = []
        party_line: list[PhraseHit] = []
        for hit in self._phrases.find(normalised):
            stated, topic_id, item_id = hit.payload
            (facts if stated else party_line).append(PhraseHit(topic_id, item_id, hit.phrase, hit.start, hit.end))
        return facts, party_line


def build_policy(topics: Iterable[Topic]) -> Policy:
    """Compile topics into a policy; PolicyError where two have the same id."""
    ordered = tuple(sorted(topics, key=lambda topic: topic.id))
    twice = [topic_id for topic_id, count in Counter(topic.id for topic in ordered).items() if count > 1]
    if twice:
        raise PolicyError("policy", [Problem(topic_id, "more than one topic has this id") for topic_id in twice])
    policy = Policy(ordered)
    parts_of.cache_clear()  # some 10 MB that only the parser and the automata needed
    return policy


def _hash(topics: tuple[Topic, ...]) -> str:
    """SHA-256 (hex) over the canonical JSON of all content; formatting and comments of the files do not count."""
    return hashlib.sha256(orjson.dumps(topics, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _wordings(topics: Iterable[Topic]) -> Iterator[tuple[tuple[bool, str, str], str]]:
    """Give (is a fact, topic, item) with each wording."""
    for topic in topics:
        for stated, group in ((True, topic.facts), (False, topic.party_line)):
            for item in group:
                yield from (((stated, topic.id, item.id), phrase.text) for phrase in item.wordings)
