"""The auditor of a stream, without I/O: feed it upstream chunks, take chunks that may leave, or an interruption.

Rules kept here:
- whole chunks leave, in the order in which they came, untouched; a chunk that holds parts of two sentences waits for
  both; one without text leaves with the text after it, or at the end;
- `hold`: nothing leaves until the opening is established: a fact of a touched topic stated in a finished sentence, or
  `hold_chars` characters read, or `expire()`, always with nothing suspicious so far; from then on as `window`;
- `window`: what leaves is what is judged; from the first suspicious sentence on all is kept to the end;
- `full`: nothing leaves before the end; `observe`: everything leaves at once, and the end tells what it was;
- on a prompt without a topic `hold` and `window` let everything pass, until the answer itself touches a topic;
- an interruption comes before the end only where no further text could take it back;
- the verdict at the end is the one that `audit()` gives the whole answer, however its text was split.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Literal

from glasnost.audit.audit import Inquiry
from glasnost.audit.verdict import Signals, Verdict
from glasnost.errors import AuditFailed
from glasnost.policy.label import Action
from glasnost.policy.policy import Policy
from glasnost.wire.answer import Answer, Chunk, Fragment, finish_reasons_of, fragments_of
from glasnost.wire.conversation import Conversation

Mode = Literal["observe", "window", "hold", "full"]


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


@dataclass(frozen=True, slots=True)
class _Held:
    """A chunk that waits, with what must be cleared before it leaves: (choice, field, end of its text there)."""

    chunk: Chunk
    needs: tuple[tuple[int, str, int], ...]
    chars: int


class StreamAudit:
    """One streamed answer; `released` counts the characters of its text that have left."""

    def __init__(  # noqa: PLR0913  # what is limited is named at the call
        self,
        policy: Policy,
        conversation: Conversation,
        mode: Mode,
        *,
        hold_chars: int,
        max_held_chars: int,
        choices: int = 1,
    ) -> None:
        self._inquiry = Inquiry(policy, conversation, choices)
        self._mode: Mode = mode
        if mode in ("hold", "window") and not self._inquiry.topics:
            self._mode = "observe"
        self._watches = self._mode != mode
        self._hold_chars = hold_chars
        self._max_held_chars = max_held_chars
        self._queue: deque[_Held] = deque()
        self._held_chars = 0
        self._lengths: dict[tuple[int, str], int] = {}
        self._opened: set[int] = set()
        self._state: Literal["reading", "interrupted", "resumed", "over"] = "reading"
        self.released = 0

    @property
    def verdict(self) -> Verdict:
        """The verdict so far; after `finish()` the final one."""
        return self._inquiry.verdict(Signals())

    @property
    def answers(self) -> tuple[Answer, ...]:
        """Every choice as far as it was read."""
        return tuple(reading.answer for reading in self._inquiry.readings)

    @property
    def held(self) -> bool:
        """True while text waits to be released."""
        return self._held_chars > 0

    def feed(self, chunk: Chunk) -> list[Event]:
        """Take the next chunk; AuditFailed when more would have to be kept than is allowed."""
        fragments = fragments_of(chunk)
        self._queue.append(self._held_chunk(chunk, fragments))
        finished = [self._inquiry.feed(each.choice, each.field, each.text) for each in fragments]
        for choice, reason in finish_reasons_of(chunk).items():
            if choice < len(self._inquiry.readings):
                self._inquiry.readings[choice].finish_reason = reason
        if self._mode == "observe":
            passed = self._release(everything=True)
            if self._watches and self._inquiry.topics:
                self._mode, self._watches = "window", False
            return passed
        events = self._judge() if any(finished) else []
        return events + self._bounded(events)

    def expire(self) -> list[Event]:
        """Hear that the time for holding is over: what is not suspicious as it stands, leaves."""
        if self._mode == "hold" and self._state == "reading":
            for reading in self._inquiry.readings:
                if not self._suspicious(reading.choice) and not reading.unfinished_suspicious():
                    self._opened.add(reading.choice)
        return self._release() if self._state == "reading" else []

    def finish(self) -> list[Event]:
        """Hear that the upstream is done: give what is left, or the interruption that the final verdict asks for."""
        self._inquiry.finish()
        if self._state == "interrupted":
            return []
        if self._state == "reading" and self.verdict.action is not Action.PASS:
            passed = self._release(everything=True) if self._mode == "observe" else []
            return [*passed, self._interrupt()]
        self._state = "over"
        return self._release(everything=True)

    def resume(self) -> list[Event]:
        """Let everything pass from here on, after an interruption that was decided to be only a flag."""
        self._state, self._mode, self._watches = "resumed", "observe", False
        return self._release(everything=True)

    def _held_chunk(self, chunk: Chunk, fragments: list[Fragment]) -> _Held:
        needs: list[tuple[int, str, int]] = []
        for fragment in fragments:
            key = (fragment.choice, fragment.field)
            self._lengths[key] = self._lengths.get(key, 0) + len(fragment.text)
            needs.append((*key, self._lengths[key]))
        chars = sum(len(fragment.text) for fragment in fragments)
        self._held_chars += chars
        return _Held(chunk, tuple(needs), chars)

    def _judge(self) -> list[Event]:
        """Interrupt what is beyond doubt, else release what has been cleared."""
        if self._state != "reading":
            return []
        if self._inquiry.certain and self.verdict.action is not Action.PASS:
            return [self._interrupt()]
        return self._release()

    def _interrupt(self) -> Interrupt:
        self._state = "interrupted"
        return Interrupt(self.verdict, self.released)

    def _bounded(self, events: list[Event]) -> list[Event]:
        """Keep within the bound: judge what is there at once, and give up when even that frees nothing."""
        if self._held_chars <= self._max_held_chars:
            return []
        if self._state == "reading" and not events:
            if self._mode != "full" and self.verdict.action is not Action.PASS:
                return [self._interrupt()]
            if events := self.expire():
                return events
        raise AuditFailed("More of the answer would have to be held back than the limit allows.")

    def _release(self, *, everything: bool = False) -> list[Event]:
        """Take the longest beginning of the queue that may leave; chunks without text follow text."""
        ready = len(self._queue) if everything else self._cleared_chunks()
        if not ready:
            return []
        chunks: list[Chunk] = []
        for _ in range(ready):
            held = self._queue.popleft()
            self._held_chars -= held.chars
            self.released += held.chars
            chunks.append(held.chunk)
        return [Release(tuple(chunks))]

    def _cleared_chunks(self) -> int:
        if self._mode == "full":
            return 0
        self._establish()
        ready = 0
        for number, held in enumerate(self._queue, start=1):
            if not all(self._cleared(*need) for need in held.needs):
                break
            if held.needs:
                ready = number
        return ready

    def _cleared(self, choice: int, name: str, end: int) -> bool:
        if self._mode == "hold" and choice not in self._opened:
            return False
        return end <= self._inquiry.readings[choice].fields[name].cleared

    def _establish(self) -> None:
        """Open the choices whose beginning has shown that they answer."""
        topics = self._inquiry.topics
        for reading in self._inquiry.readings:
            if reading.choice in self._opened or self._suspicious(reading.choice):
                continue
            stated = any(topic in topics for topic, _ in reading.facts)
            if stated or reading.clean_chars >= self._hold_chars:
                self._opened.add(reading.choice)

    def _suspicious(self, choice: int) -> bool:
        fields = self._inquiry.readings[choice].fields.values()
        return any(each.suspicious_from is not None for each in fields)
