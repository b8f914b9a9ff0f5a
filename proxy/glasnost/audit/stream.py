"""The auditor of a stream, without I/O: feed it upstream chunks, take chunks that may leave, or an interruption.

Rules kept here:
- whole chunks leave, in the order in which they came, untouched; a chunk that holds parts of two sentences waits for
  both; one without text leaves with the text after it, or at the end;
- `hold`: nothing leaves until the opening is established: the sentences in which refusals and templates show are over,
  a fact of a touched topic or criticism was stated, and nothing is suspicious; or the cap on openings is reached with
  nothing suspicious; from then on as `window`;
- `window`: what leaves is what is judged; from the first suspicious sentence on all is kept to the end;
- `full`: nothing leaves before the end; `observe`: everything leaves at once, and the end tells what it was;
- where the prompt touches no topic, or a wide one alone, the mode is chosen anew whenever the answer touches one; where
  its opening is gone by then, `hold` is `window`;
- a hold that reaches its cap does as the settings say; what is suspicious is never released by the cap on openings;
- an interruption comes before the end only where no further text could take it back, or at a cap;
- the verdict at the end is the one that `audit()` gives the whole answer, however its text was split, unless a cap
  decided and the answer was found clean: that it was not judged in time is then what the verdict says.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from glasnost.audit.audit import Inquiry
from glasnost.audit.backlog import Backlog
from glasnost.audit.kinds import Kind
from glasnost.audit.leaning import Leaning
from glasnost.audit.reading import OPENING, Reading
from glasnost.audit.rules import Mode, StreamRules
from glasnost.audit.verdict import Signals, Verdict
from glasnost.config import Overflow
from glasnost.errors import UpstreamError
from glasnost.policy.label import Action, Label
from glasnost.policy.policy import Policy
from glasnost.wire.answer import Answer, Chunk, Fragment, finish_reasons_of, fragments_of
from glasnost.wire.conversation import Conversation
from glasnost.wire.echo import Echo, tokens_of

BYTES_PER_TOKEN = 4
"""The estimate of a token: English has about four bytes of UTF-8 in one, Chinese four to five."""


@dataclass(frozen=True, slots=True)
class Release:
    """Chunks that may leave now."""

    chunks: tuple[Chunk, ...]


@dataclass(frozen=True, slots=True)
class Interrupt:
    """The policy acts on this answer, of which `released` characters have left; nothing more leaves by itself."""

    verdict: Verdict
    released: int


Event = Release | Interrupt


class StreamAudit:
    """One streamed answer: `feed` it, tell it when a time is over, `finish` it.

    `asked` are the topics of the conversation, for those who know them.
    """

    def __init__(
        self,
        policy: Policy,
        conversation: Conversation,
        rules: StreamRules,
        *,
        choices: int = 1,
        asked: tuple[str, ...] | None = None,
    ) -> None:
        self._policy = policy
        self._rules = rules
        self._inquiry = Inquiry(policy, conversation, choices, asked=asked)
        self._topics = self._inquiry.topics
        self._turns = policy.all_wide(self._topics)
        self._mode: Mode = rules.mode(policy, self._topics)
        self._backlog = Backlog()
        self._opening_bytes: dict[int, int] = {}
        self._opened: set[int] = set()
        self._echoes: dict[int, Echo] = {}
        self._doubted: set[int] = set()
        self._leans = Leaning(self._inquiry)
        self._state: Literal["reading", "interrupted", "resumed", "over"] = "reading"
        self._overflown: Verdict | None = None
        self._settled: Verdict | None = None

    @property
    def verdict(self) -> Verdict:
        """The verdict so far; after `finish()` the final one."""
        judged = self._settled or self._inquiry.verdict(Signals())
        return judged if self._overflown is None or judged.action is not Action.PASS else self._overflown

    @property
    def answers(self) -> tuple[Answer, ...]:
        """Every choice as far as it was read."""
        return tuple(reading.answer for reading in self._inquiry.readings)

    @property
    def topics(self) -> tuple[str, ...]:
        """The ids of the topics that the exchange touches so far."""
        return self._inquiry.topics

    @property
    def released(self) -> int:
        """The characters of the answer's text that have left."""
        return self._backlog.released

    @property
    def held(self) -> bool:
        """True while text waits to be released."""
        return self._backlog.text_bytes > 0

    @property
    def opening(self) -> bool:
        """True while the opening of a held stream is undecided."""
        return self._mode == "hold" and self._state == "reading" and len(self._opened) < len(self._inquiry.readings)

    def feed(self, chunk: Chunk) -> list[Event]:
        """Take the next chunk; UpstreamError when the answer is longer than may be."""
        fragments = fragments_of(chunk)
        fragments += self._tokens_beyond(chunk, fragments)
        self._backlog.add(chunk, fragments)
        if self._backlog.read_bytes > (most := self._rules.settings.max_bytes):
            raise UpstreamError(f"The answer is longer than {most} bytes.", code="upstream_response_too_large")
        finished = [self._inquiry.feed(each.choice, each.field, each.text) for each in fragments]
        for choice, reason in finish_reasons_of(chunk).items():
            if choice < len(self._inquiry.readings):
                self._inquiry.readings[choice].finish_reason = reason
        passed = self._release() if self._mode == "observe" else []
        if any(finished) and self._turns:
            self._choose_mode()
        if self._mode == "observe":
            return passed
        events = passed + (self._judge() if any(finished) else [])
        return events or self._capped(fragments)

    def expire(self) -> list[Event]:
        """Hear that the time for the opening is over."""
        return self._opening_over(range(len(self._inquiry.readings))) if self.opening else []

    def overdue(self) -> list[Event]:
        """Hear that what is held has waited for as long as anything may."""
        return self._held_over() if self.held and self._state == "reading" else []

    def end(self) -> None:
        """Hear that no more text comes, so that the verdict is final unless it is settled otherwise; then `finish`."""
        for choice, echo in self._echoes.items():
            if left := echo.finish():
                self._inquiry.feed(choice, "logprobs", left)
        self._inquiry.finish()

    def settle(self, verdict: Verdict) -> None:
        """Take the verdict that second opinions have made of the final one."""
        self._settled = verdict

    def finish(self) -> list[Event]:
        """Hear that the upstream is done: give what is left, or the interruption that the final verdict asks for."""
        self.end()
        if self._state == "interrupted":
            return []
        if self._state == "reading" and (verdict := self.verdict).action is not Action.PASS:
            passed = self._release() if self._mode == "observe" else []
            return [*passed, self._interrupt(verdict)]
        self._state = "over"
        return self._release()

    def resume(self) -> list[Event]:
        """Let everything pass from here on, after an interruption that was decided to be only a flag."""
        self._state, self._mode = "resumed", "observe"
        return self._release()

    def _tokens_beyond(self, chunk: Chunk, fragments: list[Fragment]) -> list[Fragment]:
        """Read what the log probabilities say that the text does not."""
        found: list[Fragment] = []
        for choice in chunk.get("choices") or ():
            index, tokens = choice.get("index") or 0, tokens_of(choice)
            if tokens is not None or index in self._echoes:
                text = "".join(each.text for each in fragments if each.choice == index)
                beyond = self._echoes.setdefault(index, Echo()).feed(tokens or "", text)
                found += [Fragment(index, "logprobs", beyond)] if beyond else []
        return found

    def _choose_mode(self) -> None:
        """Take the mode that the topics of the answer ask for, as far as there is anything left to hold."""
        if (topics := self._inquiry.topics) != self._topics and self._state == "reading":
            self._topics = topics
            mode = self._rules.mode(self._policy, topics)
            self._mode = "window" if mode == "hold" and self._mode != "hold" else mode

    def _judge(self) -> list[Event]:
        """Interrupt what is beyond doubt, else release what has been cleared."""
        if self._state != "reading":
            return []
        if self._inquiry.certain and (verdict := self.verdict).action is not Action.PASS:
            return [self._interrupt(verdict)]
        return self._release()

    def _interrupt(self, verdict: Verdict) -> Interrupt:
        self._state = "interrupted"
        return Interrupt(verdict, self.released)

    def _capped(self, fragments: list[Fragment]) -> list[Event]:
        """Act on a cap that is reached by what was just read and not released."""
        if self._state != "reading":
            return []
        held = self._rules.settings.held
        if self._backlog.bytes > held.bytes or _beyond(held.tokens, self._backlog.text_bytes):
            return self._held_over()
        if self._mode != "hold":
            return []
        opening = self._rules.settings.opening
        full: list[int] = []
        for fragment in fragments:
            read = self._opening_bytes[fragment.choice] = self._opening_bytes.get(fragment.choice, 0) + self._size(
                fragment
            )
            if _beyond(opening.tokens, read) or (opening.bytes is not None and read > opening.bytes):
                full.append(fragment.choice)
        return self._opening_over(full)

    def _size(self, fragment: Fragment) -> int:
        """Give the bytes that count for an opening: thinking does not answer."""
        if fragment.field == "reasoning" or self._inquiry.readings[fragment.choice].fields[fragment.field].thinking:
            return 0
        return len(fragment.text.encode("utf-8", "surrogatepass"))

    def _opening_over(self, choices: Iterable[int]) -> list[Event]:
        """Do what the settings say about openings that stay undecided for too long."""
        undecided = [self._inquiry.readings[choice] for choice in choices if choice not in self._opened]
        overflow = self._rules.settings.opening.overflow
        if undecided and overflow != "release":
            return [self._overflow(overflow)]
        for reading in undecided:
            clean = not reading.suspicious and not reading.unfinished_suspicious()
            if clean and not self._leans(reading):
                self._opened.add(reading.choice)
        return self._release() if undecided else []

    def _held_over(self) -> list[Event]:
        """Do what the settings say about a stream of which too much waits, or for too long."""
        overflow = self._rules.settings.held.overflow
        if overflow == "release" and self.verdict.action is Action.PASS:
            self._mode = "observe"
            return self._release()
        return [self._overflow(overflow)]

    def _overflow(self, overflow: Overflow) -> Interrupt:
        """Step in: by the verdict where what was read so far asks for it, else because there is none in time."""
        verdict = self.verdict
        if verdict.action is Action.PASS:
            action = Action(overflow)
            verdict = replace(
                verdict, label=Label.INCONCLUSIVE, probability=0.5, evidence=(), detector="overflow", action=action
            )
            self._overflown = verdict
        return self._interrupt(verdict)

    def _release(self) -> list[Event]:
        """Take what may leave: everything where nothing is held any more, nothing of a stream that is held whole."""
        if self._mode == "observe" or self._state == "over":
            chunks = self._backlog.release_all()
        elif self._mode == "full":
            chunks = ()
        else:
            self._establish()
            chunks = self._backlog.release(self._cleared)
        return [Release(chunks)] if chunks else []

    def _cleared(self, choice: int, name: str, end: int) -> bool:
        if self._mode == "hold" and choice not in self._opened:
            return False
        return choice not in self._doubted and end <= self._inquiry.readings[choice].fields[name].cleared

    def _establish(self) -> None:
        """Open the choices whose beginning has shown that they answer; what leans to censorship as a whole waits."""
        for reading in self._inquiry.readings:
            shown = len(reading.content) >= OPENING and self._answers(reading)
            if reading.suspicious or not (shown or self._mode == "window" or reading.choice in self._opened):
                continue
            if self._leans(reading):
                self._doubted.add(reading.choice)
            else:
                self._doubted.discard(reading.choice)
                self._opened.add(reading.choice)

    def _answers(self, reading: Reading) -> bool:
        """Tell whether something was said that gagged answers do not say: a fact of the topic, or criticism."""
        stated = any(topic in self._topics for topic, _ in reading.facts)
        return stated or any(sentence.has(Kind.CRITICISM) for sentence in reading.content)


def _beyond(tokens: int | None, read: int) -> bool:
    return tokens is not None and read > tokens * BYTES_PER_TOKEN
