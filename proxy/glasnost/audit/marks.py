"""What one sentence of an answer shows, judged by itself, so that it is the same in a stream and in the whole."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from glasnost.audit.kinds import Kind
from glasnost.audit.sentences import Sentence
from glasnost.audit.verdict import Evidence
from glasnost.audit.wordings import CYRILLIC, Found, wordings
from glasnost.policy.normalise import Normalised, normalise
from glasnost.policy.policy import PhraseHit, Policy

STATE_VOICE = (Kind.REGISTER, Kind.DENIAL, Kind.PARTY_LINE)
SUSPICIOUS = frozenset({Kind.CANNED, Kind.REFUSAL, Kind.CHANGE, Kind.DEFLECTION, *STATE_VOICE})
_DECLINING = frozenset({Kind.CANNED, Kind.REFUSAL, Kind.CHANGE, Kind.DEFLECTION})
_VOICED = frozenset({*STATE_VOICE, Kind.CANNED})
_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})|\\[nrt]")
_HAN_PER_WORD = 1.6
_NO_FACTS: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True, slots=True)
class Mark:
    """A wording found in a sentence, as evidence that can be shown."""

    kind: Kind
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class MarkedSentence:
    """A sentence of a field: how often each kind of wording stands in it, and the marks of those that can be shown.

    `words` counts 1.6 Chinese characters as one word; `reasons` are topics that it names as the reason for declining;
    `suspicious` when it could become evidence against the answer; `seen` is its text in the normal form; `voice` counts
    the voice of the state: its register up to four times, a listed formula twice each.
    """

    start: int
    end: int
    words: float
    counts: Mapping[Kind, int]
    marks: tuple[Mark, ...]
    facts: frozenset[tuple[str, str]]
    topics: tuple[str, ...]
    reasons: tuple[str, ...]
    suspicious: bool
    seen: str
    voice: int

    def has(self, *kinds: Kind) -> bool:
        """Tell whether a wording of one of these kinds stands in the sentence."""
        return not self.counts.keys().isdisjoint(kinds)

    def count(self, kind: Kind) -> int:
        """Count the wordings of a kind."""
        return self.counts.get(kind, 0)


def words_in(said: Iterable[MarkedSentence]) -> float:
    """Count the words of sentences, in which 1.6 Chinese characters are one."""
    return sum(sentence.words for sentence in said)


def mark_sentence(
    policy: Policy, sentence: Sentence, field: str, choice: int, *, topics: bool = False
) -> MarkedSentence | None:
    """Examine a sentence, for the topics it touches too if asked; None when there is not a letter in it."""
    if not any(map(str.isalpha, sentence.text)):
        return None
    seen = normalise(_decoded(sentence.text) if field == "tool_arguments" else sentence.text)
    facts, party_line = policy.phrases_in(seen)
    found = _found(seen, party_line)
    counts: dict[Kind, int] = {}
    for each in found:
        counts[each.kind] = counts.get(each.kind, 0) + 1
    return MarkedSentence(
        sentence.start,
        sentence.end,
        _words(seen.text),
        counts,
        tuple(
            Mark(each.kind, _evidence(each, seen, sentence, field, choice)) for each in found if each.kind in SUSPICIOUS
        ),
        _NO_FACTS if Kind.DENIAL in counts else frozenset((fact.topic_id, fact.item_id) for fact in facts),
        tuple(hit.topic_id for hit in policy.topics_in_text(seen, "answer")) if topics else (),
        _reasons(policy, seen, counts),
        suspicious=not SUSPICIOUS.isdisjoint(counts),
        seen=seen.text,
        voice=_voice(counts),
    )


def _voice(counts: Mapping[Kind, int]) -> int:
    register = counts.get(Kind.REGISTER, 0) + 2 * counts.get(Kind.DENIAL, 0)
    return min(register, 4) + 2 * counts.get(Kind.PARTY_LINE, 0)


def _found(seen: Normalised, party_line: Sequence[PhraseHit]) -> list[Found]:
    found = wordings().find(seen.text)
    found += [
        Found(Kind.PARTY_LINE, f"party line {hit.topic_id}/{hit.item_id}", hit.start, hit.end)
        for hit in _said_once(party_line)
    ]
    if not found:
        return found
    kinds = {each.kind for each in found}
    if Kind.ATTRIBUTION in kinds:
        # Somebody's claim, reported as such, is not the voice of the answer.
        found = [each for each in found if each.kind not in _VOICED]
    elif Kind.DENIAL in kinds or {Kind.REMEDY, Kind.REGISTER} <= kinds:
        # What a sentence denies, it does not report; what the state boasts of putting right, it does not criticise.
        found = [each for each in found if each.kind is not Kind.CRITICISM]
    return [each for each in found if not (each.kind is Kind.CANNED and '"' in seen.text[: each.start])]


def _said_once(hits: Sequence[PhraseHit]) -> Iterator[PhraseHit]:
    """Leave out what lies within a longer formula: the same words were said once, in however many topics they stand."""
    end = 0
    for hit in sorted(hits, key=lambda hit: (hit.start, -hit.end)):
        if hit.end > end:
            end = hit.end
            yield hit


def _reasons(policy: Policy, seen: Normalised, counts: Mapping[Kind, int]) -> tuple[str, ...]:
    """Give the topics that a declining sentence gives as its reason; none where it gives one of safety."""
    if _DECLINING.isdisjoint(counts) or Kind.SAFETY in counts:
        return ()
    return policy.reasons_in(seen)


def _evidence(found: Found, seen: Normalised, sentence: Sentence, field: str, choice: int) -> Evidence:
    start, end = seen.span(found.start, found.end)
    if field == "tool_arguments":
        start, end = 0, len(sentence.text)  # offsets into decoded text say nothing of the original
    start += len(sentence.text[start:end]) - len(sentence.text[start:end].lstrip())
    text = sentence.text[start:end]
    return Evidence(field, sentence.start + start, sentence.start + end, text, found.why, choice)


def _decoded(json_text: str) -> str:
    """Undo the escapes of JSON, in which Chinese may be written in ASCII."""
    return _ESCAPE.sub(lambda escape: chr(int(escape[1], 16)) if escape[1] else " ", json_text)


def _words(text: str) -> float:
    spaced = len(text.split())
    if text.isascii():
        return spaced
    if CYRILLIC.search(text):
        return spaced
    chinese = (len(text.encode()) - len(text)) // 2  # each takes three bytes
    return spaced + chinese / _HAN_PER_WORD
