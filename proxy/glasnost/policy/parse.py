"""A topic file's text becomes a Topic, or every problem in it at once, with path and line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from glasnost import document
from glasnost.errors import PolicyError, Problem
from glasnost.policy.label import Action
from glasnost.policy.schema import TOPIC_FILE, MatchFile, NearFile, TopicFile
from glasnost.policy.topic import Example, Fact, Match, Near, PartyLine, Phrase, SourceRef, Topic

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from glasnost.policy.label import Label

_WORDS = {
    "missing": "is required",
    "extra_forbidden": "is not a known key",
    "model_type": "must be a mapping",
    "too_short": "must not be empty",
}


def parse_topic(text: str, source: str) -> Topic:
    """Read one topic file, `source` naming it in messages. Raises PolicyError with all problems, in line order."""
    parsed = document.parse(text)
    if parsed.problems:
        raise PolicyError(source, list(parsed.problems))
    problems = [Problem(path, message, parsed.line(path)) for path, message in _across(parsed.value)]
    try:
        file = TOPIC_FILE.validate_python(parsed.value)
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
        problems += [_problem(detail, parsed) for detail in details]
    if problems:
        unique = dict.fromkeys(problems)
        raise PolicyError(source, sorted(unique, key=lambda problem: problem.line))
    return _topic(file)


def _problem(detail: Any, parsed: document.Document) -> Problem:
    path = ""
    for depth, part in enumerate(detail["loc"], start=1):
        inner = f"{path}[{part}]" if isinstance(part, int) else f"{path}.{part}".lstrip(".")
        # pydantic adds steps of its own for a union's member or a dict's key; the document has no such path.
        if inner in parsed.lines or (depth == len(detail["loc"]) and detail["type"] == "missing"):
            path = inner
    return Problem(path, _WORDS.get(detail["type"], detail["msg"]), parsed.line(path))


def _across(value: Any) -> Iterator[tuple[str, str]]:
    """Check what no single field shows; runs on raw values, so that it also speaks where the shape is wrong."""
    if not isinstance(value, dict):
        return
    known = [item["id"] for _, item in _entries(value, "sources") if "id" in item]
    wanted = [language for language in _list(value.get("languages", ["en", "zh"])) if isinstance(language, str)]
    match = _dict(value.get("match"))
    for key in ("terms", "reasons"):
        yield from _missing_languages(match.get(key), f"match.{key}", wanted)
    if "match" in value and not any(key in match for key in ("terms", "near", "reasons")):
        yield "match", "needs terms, near or reasons"
    for key in ("sources", "facts", "party_line"):
        yield from _repeated(value, key)
    for key in ("facts", "party_line"):
        for path, item in _entries(value, key):
            yield from _missing_languages(item.get("any"), f"{path}.any", wanted)
            for index, name in enumerate(_list(item.get("sources"))):
                if name not in known:
                    yield f"{path}.sources[{index}]", f"there is no source {name!r}"
    yield from _right_labels(value)
    yield from _actions_match(value.get("acts_on"), value.get("action"))


def _missing_languages(wordings: Any, path: str, wanted: Sequence[str]) -> Iterator[tuple[str, str]]:
    if isinstance(wordings, dict):
        for language in wanted:
            if language not in wordings:
                yield path, f"has no wording in {language!r}"


def _repeated(value: Mapping[str, Any], key: str) -> Iterator[tuple[str, str]]:
    seen: list[Any] = []
    for path, item in _entries(value, key):
        if item.get("id") in seen:
            yield f"{path}.id", f"{item['id']!r} stands here twice"
        seen.append(item.get("id"))


def _right_labels(value: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if value.get("harm"):
        for key in ("acts_on", "action", "wide"):
            if key in value:
                yield key, "has no place in a topic of harm, which acts on nothing"
        return
    if value.get("wide") and value.get("acts_on", ["refusal"]) != ["refusal"]:
        yield "acts_on", "must be [refusal] in a wide topic"
    for key in ("acts_on", "action"):
        if not value.get(key):
            yield key, "is required" if key not in value else "must not be empty"


def _actions_match(acts_on: Any, action: Any) -> Iterator[tuple[str, str]]:
    if isinstance(action, dict) and isinstance(acts_on, list):
        for label in acts_on:
            if label not in action:
                yield "action", f"says nothing about {label!r}, which acts_on lists"
        for label in action:
            if label not in acts_on:
                yield f"action.{label}", "is not in acts_on"


def _entries(value: Mapping[str, Any], key: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for index, item in enumerate(_list(value.get(key))):
        if isinstance(item, dict):
            yield f"{key}[{index}]", item


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _topic(file: TopicFile) -> Topic:
    facts = (Fact(item.id, item.says, item.weight, _phrases(item.any), tuple(item.sources)) for item in file.facts)
    party_line = (PartyLine(item.id, _phrases(item.any), tuple(item.sources)) for item in file.party_line)
    return Topic(
        id=file.id,
        title=file.title,
        languages=tuple(file.languages),
        sources=tuple(SourceRef(item.id, item.title, item.url) for item in file.sources),
        match=_match(file.match),
        facts=tuple(facts),
        party_line=tuple(party_line),
        actions=_actions(file),
        thresholds=tuple(file.thresholds.items()),
        examples=tuple(Example(item.prompt, item.answer, item.expect) for item in file.examples),
        otherwise=Action(file.otherwise),
        stream_mode=file.stream.mode,
        after_release=file.stream.after_release,
        wide=file.wide,
        harm=file.harm,
    )


def _match(file: MatchFile) -> Match:
    return Match(
        terms=_phrases(file.terms),
        euphemisms=_phrases(file.euphemisms),
        asked=_phrases(file.asked),
        near=tuple(map(_near, file.near)),
        not_=_phrases(file.not_),
        reasons=_phrases(file.reasons),
    )


def _near(file: NearFile) -> Near:
    return Near(tuple(map(tuple, file.then or file.all or ())), file.within, ordered=file.then is not None)


def _phrases(wordings: Mapping[str, Sequence[str]]) -> tuple[Phrase, ...]:
    return tuple(Phrase(language, text) for language, texts in wordings.items() for text in texts)


def _actions(file: TopicFile) -> tuple[tuple[Label, Action], ...]:
    return tuple((label, file.action[label]) for label in file.acts_on)
