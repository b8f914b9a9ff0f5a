"""An exchange in, a verdict out: the two keys are turned here.

Rules kept here:
- topics come from the prompt, else from the last turns before it, else from the answer itself; a wide topic ends this
  search nowhere; what a refusal gives as its own reason is a topic too, whatever was asked;
- safety before politics: a refusal of a request for harm, or one that names harm and no politics as its reason, is
  `safety_refusal` and passes on any topic;
- every field of every choice is judged, and the worst finding is the verdict;
- the text is read sentence by sentence, whole or in a stream, so that both end in the same verdict.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from glasnost.audit.action import SEVERITY, action_of, otherwise_of
from glasnost.audit.brief import brief
from glasnost.audit.classifier import PACKS, estimate
from glasnost.audit.detectors import Finding, examine
from glasnost.audit.features import Question
from glasnost.audit.kinds import Kind
from glasnost.audit.reading import Reading
from glasnost.audit.verdict import Signals, Verdict
from glasnost.audit.weighing import Estimator, weigh
from glasnost.policy.label import CENSORING, Action, Label
from glasnost.policy.policy import Policy
from glasnost.wire.answer import Answer
from glasnost.wire.conversation import Conversation

RECENT_TURNS = 6
_DECLINED = frozenset({Label.REFUSAL, Label.EVASION, Label.TRUNCATED})


def audit(  # noqa: PLR0913  # what may differ is named at the call
    policy: Policy,
    conversation: Conversation,
    answers: Sequence[Answer] | Answer,
    signals: Signals = Signals(),  # noqa: B008  # frozen
    *,
    on_topic: bool = False,
    asked: tuple[str, ...] | None = None,
) -> Verdict:
    """Judge a whole answer: one Answer, or every choice of a completion.

    With `on_topic` the first key counts as turned whatever is asked, to measure the second alone. `asked` are the
    conversation's topics, for those who know them.
    """
    choices = (answers,) if isinstance(answers, Answer) else answers
    inquiry = Inquiry(policy, conversation, len(choices), on_topic=on_topic, asked=asked)
    for reading, answer in zip(inquiry.readings, choices, strict=True):
        reading.finish_reason = answer.finish_reason
        for name, text in answer.texts():
            if text:
                inquiry.feed(reading.choice, name, text)
    inquiry.finish()
    return inquiry.verdict(signals)


class Inquiry:
    """The state of one audit: the conversation is judged at once, the answer as it comes."""

    def __init__(  # noqa: PLR0913  # what may differ is named at the call
        self,
        policy: Policy,
        conversation: Conversation,
        choices: int,
        *,
        on_topic: bool = False,
        asked: tuple[str, ...] | None = None,
        estimator: Estimator = estimate,
    ) -> None:
        self._policy = policy
        self._conversation = conversation
        self._on_topic = on_topic
        self._estimator = estimator
        self._asked = topics_asked(policy, conversation) if asked is None else asked
        self.readings = [self._reading(number) for number in range(choices)]

    def feed(self, choice: int, name: str, text: str) -> bool:
        """Add text to a field of a choice; tell whether a sentence was finished by it."""
        while choice >= len(self.readings):
            self.readings.append(self._reading(len(self.readings)))
        return self.readings[choice].feed(name, text)

    def finish(self) -> None:
        """End every choice."""
        for reading in self.readings:
            reading.finish()

    @property
    def topics(self) -> tuple[str, ...]:
        """The ids of the topics that the exchange touches."""
        said = [topic for reading in self.readings for topic in (*reading.topics, *reading.reasons)]
        return tuple(dict.fromkeys((*self._asked, *said)))

    def verdict(self, signals: Signals) -> Verdict:
        """Judge what was read so far: the worst finding of all choices."""
        if not self.readings:
            return self._verdict(Finding(Label.TRUNCATED, 0.9, "empty"))
        verdicts = [self._verdict(self._finding(reading, signals)) for reading in self.readings]
        return max(verdicts, key=lambda verdict: (SEVERITY[verdict.action], _rank(verdict.label), verdict.probability))

    @property
    def certain(self) -> bool:
        """True when something was said that more text cannot take back, such as a published refusal."""
        return any(reading.canned is not None for reading in self.readings)

    @cached_property
    def _harm(self) -> bool:
        return self._policy.asks_for_harm(self._conversation.prompt)

    def leans(self, reading: Reading) -> bool:
        """Tell whether a choice, as far as it was read, is of a censoring kind."""
        return self._finding(reading, Signals()).label in CENSORING

    @cached_property
    def _question(self) -> Question:
        return Question.of(self._conversation.prompt)

    def _finding(self, reading: Reading, signals: Signals) -> Finding:
        finding = examine(reading, signals)
        if self._on_topic or any(map(self._trained_on, self.topics)):
            finding = weigh(finding, reading, self._question, self._estimator)
        if finding.label is Label.COMPLETE and self._on_narrow_topic:
            finding = brief(reading, self._conversation.prompt) or finding
        return self._settled(finding)

    @property
    def _on_narrow_topic(self) -> bool:
        return self._on_topic or not self._policy.all_wide(self.topics)

    def _trained_on(self, topic: str) -> bool:
        """Tell whether the classifier knows the topic; on a wide one refusals alone count, and rules know those."""
        return topic.partition(".")[0] in PACKS and not self._policy.all_wide((topic,))

    def _settled(self, finding: Finding) -> Finding:
        """Put safety before politics."""
        if finding.label not in _DECLINED or not (self._harm or _names_harm_only(finding)):
            return finding
        return Finding(Label.SAFETY_REFUSAL, finding.probability, finding.detector, finding.evidence)

    def _verdict(self, finding: Finding) -> Verdict:
        topics = self.topics
        return Verdict(
            finding.label,
            finding.probability,
            topics,
            finding.evidence,
            self._policy.hash,
            finding.detector,
            self._action(finding, topics),
            otherwise_of(self._policy, topics),
        )

    def _action(self, finding: Finding, topics: tuple[str, ...]) -> Action:
        least = Action.FLAG if self._on_topic and finding.label in CENSORING else Action.PASS
        action = action_of(self._policy, topics, finding.label, finding.probability)
        return max(least, action, key=SEVERITY.__getitem__)

    def _reading(self, number: int) -> Reading:
        return Reading(self._policy, number, topics=self._policy.all_wide(self._asked))


def topics_asked(policy: Policy, conversation: Conversation) -> tuple[str, ...]:
    """Give the ids of the topics that the prompt touches, or else the turns right before it."""
    hits = policy.topics_in(conversation)
    oldest = len(conversation.history) - RECENT_TURNS
    prompt = [hit.topic_id for hit in hits if hit.where == "prompt"]
    recent = [hit.topic_id for hit in hits if hit.where == "history" and hit.turn >= oldest]
    return tuple(dict.fromkeys([*prompt, *recent] if policy.all_wide(prompt) else prompt))


def _names_harm_only(finding: Finding) -> bool:
    """Tell whether a refusal gives harm as its reason and nothing political; a published refusal never does."""
    if any(sentence.has(Kind.CANNED, Kind.POLITICS) for sentence in finding.sentences):
        return False
    return any(sentence.has(Kind.SAFETY) for sentence in finding.sentences)


def _rank(label: Label) -> int:
    if label in CENSORING:
        return 3
    return {Label.INCONCLUSIVE: 2, Label.SAFETY_REFUSAL: 1}.get(label, 0)
