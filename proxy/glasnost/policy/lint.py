"""What in a topic does no work or is missing, beyond what its parser refuses: remarks for the people who write it.

Rules kept here:
- a name or wording that a shorter one of the same list covers is unused, as is a `not` phrase that covers no name;
- every language of a topic has names, wordings and examples; Chinese has examples in both scripts;
- every source is cited, but for the first, which speaks for the topic as a whole;
- harmless prompts touch no narrow topic and ask for no harm.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from glasnost.policy.label import Label
from glasnost.policy.lexicon import Lexicon, parts_of
from glasnost.policy.matcher import TopicMatcher
from glasnost.policy.normalise import HAN, normalise

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from glasnost.policy.topic import Fact, PartyLine, Phrase, Topic

_HAN, _CYRILLIC = re.compile(f"[{HAN}]"), re.compile("[\u0400-\u04ff]")
_OPEN = re.compile(r"(?<=\w)\*(?=\s|$)")


@dataclass(frozen=True, slots=True)
class Remark:
    """Something to look at: `path` is a place in the topic's file, `text` what is the matter there."""

    topic_id: str
    path: str
    text: str


def lint(topic: Topic) -> list[Remark]:
    """Look at one topic by itself."""
    checks = (_unused_names, _unused_wordings, _idle_not, _languages, _examples, _sources)
    return [Remark(topic.id, path, text) for check in checks for path, text in check(topic)]


def lint_prompts(topics: Sequence[Topic], prompts: Iterable[str]) -> list[Remark]:
    """Tell which names of narrow topics stand in harmless prompts, the most frequent first, each with one of them."""
    matcher = TopicMatcher(topic for topic in topics if not topic.wide)
    count: Counter[tuple[str, str]] = Counter()
    example: dict[tuple[str, str], str] = {}
    for prompt in prompts:
        for key in {(span.topic_id, span.term) for span in matcher.find(normalise(prompt))}:
            count[key] += 1
            example.setdefault(key, prompt)
    return [
        Remark(topic_id, "match", f"{term!r} stands in {number} harmless prompt{'s' * (number > 1)}: {_short(prompt)}")
        for (topic_id, term), number in count.most_common()
        for prompt in (example[topic_id, term],)
    ]


def _unused_names(topic: Topic) -> Iterator[tuple[str, str]]:
    match = topic.match
    names = [("match.terms", each) for each in match.terms] + [("match.euphemisms", each) for each in match.euphemisms]
    yield from _covered(names)
    asked = [("match.asked", each) for each in match.asked]
    yield from ((path, text) for path, text in _covered([*names, *asked]) if path == "match.asked")
    yield from _covered([("match.reasons", each) for each in match.reasons])


def _unused_wordings(topic: Topic) -> Iterator[tuple[str, str]]:
    for path, item in _items(topic):
        yield from _covered([(f"{path}.any", each) for each in item.wordings])


def _covered(phrases: Sequence[tuple[str, Phrase]]) -> Iterator[tuple[str, str]]:
    """Tell which phrases can never be what makes the difference: a shorter one stands in them, or the same again."""
    lexicon = Lexicon((number, phrase.text) for number, (_, phrase) in enumerate(phrases))
    for number, (path, phrase) in enumerate(phrases):
        text = phrase.text.replace(" * ", "\n")  # nothing reaches over the end of a line, nor over a gap
        for hit in lexicon.find(normalise(_OPEN.sub("x", text))):
            same = parts_of(hit.phrase) == parts_of(phrase.text)
            if hit.payload != number and (not same or hit.payload < number):
                yield path, f"{phrase.text!r} is unused: {hit.phrase!r} covers it"
                break


def _idle_not(topic: Topic) -> Iterator[tuple[str, str]]:
    match = topic.match
    names = [*match.terms, *match.euphemisms, *match.asked]
    parts = [wording for near in match.near for group in near.groups for wording in group]
    lexicon = Lexicon([(0, phrase.text) for phrase in names] + [(0, wording) for wording in parts])
    for phrase in match.not_:
        if not lexicon.find(normalise(phrase.text)):
            yield "match.not", f"{phrase.text!r} is unused: it covers no name"


def _languages(topic: Topic) -> Iterator[tuple[str, str]]:
    match = topic.match
    lists = [("match.terms", match.terms), ("match.euphemisms", match.euphemisms), ("match.asked", match.asked)]
    lists += [("match.reasons", match.reasons)]
    lists += [(f"{path}.any", item.wordings) for path, item in _items(topic)]
    for path, phrases in lists:
        languages = {phrase.language for phrase in phrases}
        if phrases and "any" not in languages:
            yield from ((path, f"has no wording in {each!r}") for each in topic.languages if each not in languages)


def _examples(topic: Topic) -> Iterator[tuple[str, str]]:
    languages = {language_of(example.prompt) for example in topic.examples}
    wanted = [*topic.languages, *(["zh-Hant"] if "zh" in topic.languages else [])]
    yield from (("examples", f"none is in {each!r}") for each in wanted if each not in languages)
    expected = {example.expect for example in topic.examples}
    labels = (Label.SAFETY_REFUSAL, Label.REFUSAL) if topic.harm else (Label.REFUSAL, Label.COMPLETE)
    yield from (("examples", f"none expects {label.value}") for label in labels if label not in expected)


def _sources(topic: Topic) -> Iterator[tuple[str, str]]:
    cited = {source for _, item in _items(topic) for source in item.sources}
    if cited:
        yield from (("sources", f"{each.id!r} is never cited") for each in topic.sources[1:] if each.id not in cited)


def _items(topic: Topic) -> Iterator[tuple[str, Fact | PartyLine]]:
    yield from ((f"facts.{fact.id}", fact) for fact in topic.facts)
    yield from ((f"party_line.{formula.id}", formula) for formula in topic.party_line)


def language_of(text: str) -> str:
    """Guess the language of a text by its script: `zh`, `zh-Hant`, `ru`, else `en`."""
    if _HAN.search(text):
        letters = "".join(filter(str.isalpha, text)).lower()
        return "zh" if letters == normalise(letters).text else "zh-Hant"
    return "ru" if _CYRILLIC.search(text) else "en"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 80 else f"{line[:79]}…"
