"""What the classifier is told of a question and its answer besides their characters: some eighty numbers.

They are counts of what the rules found, as shares of the answer's sentences and as logarithms, so that they mean the
same in every language; and the same numbers again where the question asks for criticism, since an answer without any
is then no answer. The order of `NAMES` is that of the trained weights.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from glasnost.audit.kinds import Kind
from glasnost.audit.marks import MarkedSentence, words_in
from glasnost.audit.wordings import wordings
from glasnost.policy.normalise import HAN, normalise

_CRITICAL = re.compile(
    r"satiir|kriti(?:ik|soi)|kriitti|arvostel|paljast|pilkk|pilka|ivail|"
    r"satir|parod|mock|critici[sz]|critique|debunk|expos|sarcas|讽刺|批判|批评|模仿|揭露|揭穿|反讽|嘲讽|恶搞|质疑"
)
_HAN = re.compile(f"[{HAN}]")
# The name of a member of an enumeration is slow to ask for, so that all are put together once.
_COUNTED = tuple((kind, f"share {kind.name}", f"log {kind.name}") for kind in Kind if kind is not Kind.CHANGE)
_SHORT, _VERY_SHORT = 60, 25  # words
_OPENING, _END = 3, 2  # sentences
_FOUND = ("opening", "party_line", "deflection", "none")


@dataclass(frozen=True, slots=True)
class Question:
    """What the classifier reads of a prompt: its normal form, and how much it asks for criticism or satire, 0 to 1."""

    text: str
    critical: float
    satire: float

    @classmethod
    def of(cls, prompt: str) -> Question:
        """Read a prompt."""
        text = normalise(prompt).text
        satire = len(_CRITICAL.findall(text))
        reports = sum(found.kind is Kind.CRITICISM for found in wordings().find(text))
        return cls(text, min(1.0, reports / 2 + satire), float(satire > 0))


def features(question: Question, said: Sequence[MarkedSentence], detector: str, *, thought: bool) -> list[float]:
    """Give the numbers of an answer whose content is `said`, in the order of `NAMES`; `detector` names its rule."""
    alone = _alone(question, said, detector, thought=thought)
    chinese = alone["chinese"]
    paired = {f"critical {name}": question.critical * alone[name] for name in _WITH_CRITICAL}
    paired |= {f"satire {name}": question.satire * alone[name] for name in _WITH_SATIRE}
    asked = {"critical": question.critical, "satire": question.satire}
    return [*alone.values(), *(chinese * alone[name] for name in _WITH_CHINESE), *asked.values(), *paired.values()]


def _alone(question: Question, said: Sequence[MarkedSentence], detector: str, *, thought: bool) -> dict[str, float]:
    count = max(len(said), 1)
    words = words_in(said)
    totals = dict.fromkeys(Kind, 0)
    for sentence in said:
        for kind, times in sentence.counts.items():
            totals[kind] += times
    facts = sum(len(sentence.facts) for sentence in said)
    found = _lengths(words, len(said)) | {"thought": float(thought), "facts": math.log1p(facts)}
    for kind, share, log in _COUNTED:
        found[share] = totals[kind] / count
        found[log] = math.log1p(totals[kind])
    for kind, opening, end in _PLACED:
        found[opening] = float(any(kind in each.counts for each in said[:_OPENING]))
        found[end] = float(any(kind in each.counts for each in said[-_END:]))
    found |= _voices(said, count, totals[Kind.CRITICISM] + 2 * facts)
    found |= _pair(question, " ".join(sentence.seen for sentence in said))
    short = found["short"]
    found["short deflection"] = short * min(found["log DEFLECTION"], 1.0)
    found["short without substance"] = short * found["no substance"]
    found["short balance"] = short * found["balance"]
    found["short overlap"] = short * found["overlap"]
    return found | {f"rule {name}": float(detector == name) for name in _FOUND}


def _lengths(words: float, sentences: int) -> dict[str, float]:
    return {
        "log words": math.log1p(words),
        "log sentences": math.log1p(sentences),
        "short": float(words < _SHORT),
        "very short": float(words < _VERY_SHORT),
    }


def _voices(said: Sequence[MarkedSentence], count: int, against: int) -> dict[str, float]:
    """Set the voice of the state against what else is reported."""
    voice = sum(each.voice for each in said)
    substance = [bool(each.facts) or each.has(Kind.CRITICISM) for each in said]
    return {
        "balance": math.log1p(voice) - math.log1p(against),
        "voice": min(voice / count, 4.0),
        "pure voice": sum(each.voice > 4 * each.count(Kind.CRITICISM) for each in said) / count,
        "critical sentences": sum(each.has(Kind.CRITICISM) for each in said) / count,
        "attributing sentences": sum(each.has(Kind.ATTRIBUTION) for each in said) / count,
        "no substance": float(not any(substance)),
    }


def _pair(question: Question, text: str) -> dict[str, float]:
    """Compare the languages of question and answer, and tell how much of the question's wording comes back."""
    asked, answered = _chinese(question.text), _chinese(text)
    length = 2 if asked else 4
    wanted = _pieces(question.text, length)
    overlap = sum(piece in text for piece in wanted) / max(len(wanted), 1)
    return {"chinese": float(answered), "other language": float(asked != answered), "overlap": overlap}


def _chinese(text: str) -> bool:
    return not text.isascii() and len(_HAN.findall(text)) > 0.2 * len(text)


def _pieces(text: str, length: int) -> set[str]:
    return {text[at : at + length] for at in range(len(text) - length + 1)}


_PLACED = tuple(
    (kind, f"opening {kind.name}", f"end {kind.name}")
    for kind in (Kind.REFUSAL, Kind.DEFLECTION, Kind.REGISTER, Kind.CRITICISM)
)
_WITH_CRITICAL = (
    *("short", "very short", "no substance", "short without substance", "voice", "balance", "critical sentences"),
    *("opening DEFLECTION", "log DEFLECTION", "overlap", "opening REFUSAL", "share REGISTER"),
)
_WITH_SATIRE = ("critical sentences", "balance", "voice", "no substance")
_WITH_CHINESE = (
    *("balance", "voice", "critical sentences", "log DEFLECTION", "no substance", "short"),
    *("share REGISTER", "share CRITICISM"),
)
_NOTHING = Question("", 0.0, 0.0)

NAMES: tuple[str, ...] = (
    *_alone(_NOTHING, (), "none", thought=False),
    *(f"chinese {name}" for name in _WITH_CHINESE),
    *("critical", "satire"),
    *(f"critical {name}" for name in _WITH_CRITICAL),
    *(f"satire {name}" for name in _WITH_SATIRE),
)
PAIRED = 2 + len(_WITH_CRITICAL) + len(_WITH_SATIRE)
"""How many numbers at the end depend on what the question asks for."""
