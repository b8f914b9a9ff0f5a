"""One choice of an answer as it is read: its fields in sentences, its reasoning apart from what it answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import chain

from glasnost.audit.kinds import Kind
from glasnost.audit.marks import MarkedSentence, mark_sentence
from glasnost.audit.sentences import Sentence, Splitter
from glasnost.policy.policy import Policy
from glasnost.wire.answer import FIELDS, Answer

OPENING = 3
"""The sentences in which a refusal shows."""


SPOKEN = ("content", "refusal", "tool_arguments")
"""The fields that speak to the user."""


@dataclass(slots=True)
class FieldReading:
    """A field: its text so far, its finished sentences, and from where on it may not leave.

    `topics` holds, in order, those that the text touches, if it is searched for them. `canned` is the first published
    refusal in its opening; more text cannot take it back.
    """

    splitter: Splitter = field(default_factory=Splitter)
    pieces: list[str] = field(default_factory=list)
    said: list[MarkedSentence] = field(default_factory=list)
    thought: list[MarkedSentence] = field(default_factory=list)
    suspicious_from: int | None = None
    topics: dict[str, None] = field(default_factory=dict)
    canned: MarkedSentence | None = None

    @property
    def cleared(self) -> int:
        """The characters from the start on that are judged, with nothing suspicious among them."""
        return self.splitter.blank_to if self.suspicious_from is None else self.suspicious_from

    @property
    def thinking(self) -> bool:
        """True while the text is inside `<think>`."""
        return self.splitter.thinking


class Reading:
    """A choice: feed it text by field, then finish it; what it tells does not depend on how the fields were mixed."""

    def __init__(self, policy: Policy, choice: int, *, topics: bool) -> None:
        self._policy = policy
        self._topics = topics
        self.choice = choice
        self.fields = {name: FieldReading() for name in FIELDS}
        self.finish_reason: str | None = None
        self.ended = False

    def feed(self, name: str, text: str) -> bool:
        """Add text to a field; tell whether a sentence was finished by it."""
        reading = self.fields[name]
        reading.pieces.append(text)
        sentences = reading.splitter.feed(text)
        self._take(name, sentences)
        return bool(sentences)

    def finish(self) -> None:
        """End every field."""
        self.ended = True
        for name, reading in self.fields.items():
            if reading.pieces:
                self._take(name, reading.splitter.finish())

    def unfinished_suspicious(self) -> bool:
        """Tell whether a sentence that is still being written is suspicious as it stands."""
        peeked = ((name, sentence) for name, each in self.fields.items() for sentence in each.splitter.peek())
        marked = (mark_sentence(self._policy, sentence, name, self.choice) for name, sentence in peeked)
        return any(sentence is not None and sentence.suspicious for sentence in marked)

    @property
    def suspicious(self) -> bool:
        """Tell whether a finished sentence could become evidence against the answer."""
        return any(each.suspicious_from is not None for each in self.fields.values())

    @property
    def answer(self) -> Answer:
        """The text so far."""
        texts = {name: "".join(reading.pieces) for name, reading in self.fields.items()}
        return Answer(**texts, finish_reason=self.finish_reason)

    @property
    def content(self) -> list[MarkedSentence]:
        """The sentences that answer."""
        return self.fields["content"].said

    @property
    def thought(self) -> list[MarkedSentence]:
        """The sentences of the reasoning, in its own field and in `<think>`."""
        reasoning = self.fields["reasoning"]
        return [*reasoning.said, *reasoning.thought, *self.fields["content"].thought]

    @property
    def topics(self) -> list[str]:
        """The ids of the topics that the text touches, if it is searched for them."""
        return [topic for reading in self.fields.values() for topic in reading.topics]

    @property
    def reasons(self) -> list[str]:
        """The ids of the topics that the answer gives as its own reason for declining, if it declines at all."""
        if not self.suspicious:
            return []
        said = [sentence for name in SPOKEN for sentence in self.fields[name].said]
        if not any(sentence.has(Kind.CANNED, Kind.REFUSAL, Kind.CHANGE) for sentence in said):
            return []
        return list(chain.from_iterable(sentence.reasons for sentence in said))

    @property
    def canned(self) -> MarkedSentence | None:
        """The first published refusal, if there is one."""
        return next((reading.canned for reading in self.fields.values() if reading.canned is not None), None)

    @property
    def facts(self) -> set[tuple[str, str]]:
        """The (topic, fact) pairs that the answer states; what is only thought is not stated."""
        return set(chain.from_iterable(sentence.facts for sentence in self.content))

    def _take(self, name: str, sentences: list[Sentence]) -> None:
        reading = self.fields[name]
        for sentence in sentences:
            if sentence.resumes:
                # A template may open the reasoning itself, so that only its end is in the text.
                reading.thought += reading.said
                reading.said = []
            marked = mark_sentence(self._policy, sentence, name, self.choice, topics=self._topics)
            if marked is None:
                continue
            reading.topics.update(dict.fromkeys(marked.topics))
            part = reading.thought if sentence.thinking else reading.said
            part.append(marked)
            if reading.canned is None and len(part) <= OPENING and marked.has(Kind.CANNED):
                reading.canned = marked
            if reading.suspicious_from is None and (marked.suspicious or name == "refusal"):
                reading.suspicious_from = marked.start
