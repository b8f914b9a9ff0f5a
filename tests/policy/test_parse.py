"""Topic files: a good one becomes a Topic, and a bad one tells everything that is wrong, with its place."""

import pytest
import yaml

from glasnost.errors import PolicyError
from glasnost.policy.label import Action, Label
from glasnost.policy.parse import parse_topic
from glasnost.policy.topic import Near, Phrase

GOOD = """\
schema: glasnost/topic/v1
id: test.topic
title: A topic
sources:
  - {id: ref, title: A reference, url: "https://example.org/"}
match:
  terms: {en: [Foobar], zh: [福福]}
  near:
    - {all: [Beijing, ["1989", "89"]], within: 12}
  not: {en: [Foobar opening hours]}
facts:
  - {id: it-was, weight: 3, says: It was so, any: {en: [It * was], zh: [它是]}, sources: [ref]}
party_line:
  - {id: never, any: {en: [It never was], zh: [从来不是]}, sources: [ref]}
acts_on: [refusal, evasion]
action: reroute
examples:
  - {prompt: Tell me of Foobar, answer: I cannot say., expect: refusal}
"""


def problems(text: str) -> list[str]:
    with pytest.raises(PolicyError) as caught:
        parse_topic(text, "test.yaml")
    return [str(problem) for problem in caught.value.problems]


def changed(old: str, new: str) -> list[str]:
    assert old in GOOD
    return problems(GOOD.replace(old, new))


def test_a_good_file_becomes_a_topic() -> None:
    topic = parse_topic(GOOD, "test.yaml")
    assert topic.match.terms == (Phrase("en", "Foobar"), Phrase("zh", "福福"))
    assert topic.match.near == (Near((("Beijing",), ("1989", "89")), 12),)
    assert topic.match.not_ == (Phrase("en", "Foobar opening hours"),)
    assert topic.facts[0].weight == 3
    assert topic.languages == ("en", "zh")
    assert topic.acts_on == {Label.REFUSAL, Label.EVASION}
    assert topic.action_for(Label.REFUSAL) is Action.REROUTE
    assert topic.action_for(Label.PROPAGANDA) is Action.PASS
    assert topic.examples[0].expect is Label.REFUSAL


def test_an_action_and_a_threshold_may_differ_by_label() -> None:
    text = GOOD.replace("action: reroute", "action: {refusal: block, evasion: flag}\nthresholds: {evasion: 0.8}")
    topic = parse_topic(text, "test.yaml")
    assert topic.action_for(Label.REFUSAL) is Action.BLOCK
    assert topic.action_for(Label.EVASION) is Action.FLAG
    assert topic.threshold(Label.EVASION) == 0.8
    assert topic.threshold(Label.REFUSAL) is None


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("glasnost/topic/v1", "glasnost/topic/v2", "schema (line 1): Input should be 'glasnost/topic/v1'"),
        ("title: A topic", "titel: A topic", "title (line 1): is required"),
        ("title: A topic", "title: A topic\ncolour: red", "colour (line 4): is not a known key"),
        ("zh: [福福]", "zh: []", "match.terms.zh (line 7): must not be empty"),
        ("{en: [Foobar], zh: [福福]}", "{en: [Foobar]}", "match.terms (line 7): has no wording in 'zh'"),
        ("zh: [福福]", "zh: [福]", "match.terms.zh[0] (line 7): needs at least two characters on each side of a gap"),
        (
            "It * was",
            "Iti*",
            "facts[0].any.en[0] (line 12): needs at least 4 letters before a * that leaves a word open",
        ),
        ("It * was", "It * ", "facts[0].any.en[0] (line 12): needs at least two characters on each side of a gap"),
        (", zh: [它是]", "", "facts[0].any (line 12): has no wording in 'zh'"),
        ("zh: [从来不是]", "zh: [2019]", "party_line[0].any.zh[0] (line 14): Input should be a valid string"),
        (
            "sources: [ref]}\nparty",
            "sources: [nope]}\nparty",
            "facts[0].sources[0] (line 12): there is no source 'nope'",
        ),
        ("weight: 3", "weight: 4", "facts[0].weight (line 12): Input should be less than or equal to 3"),
        ("within: 12", "within: 0", "match.near[0].within (line 9): Input should be greater than or equal to 2"),
        ("[refusal, evasion]", "[refusal, complete]", "acts_on[1] (line 15): must be one of evasion, omission,"),
        ("action: reroute", "action: {refusal: flag}", "action (line 16): says nothing about 'evasion'"),
        ("action: reroute", "action: hide", "action (line 16): Input should be 'pass', 'flag', 'reroute' or 'block'"),
        ("https://example.org/", "ftp://example.org/", "sources[0].url (line 5): String should match"),
        ("id: test.topic", "id: Test Topic", "id (line 2): String should match"),
        ("id: test.topic", "id: &a test.topic", "document (line 2): anchors and aliases are not allowed"),
        ("expect: refusal", "expect: nope", "examples[0].expect (line 18): Input should be"),
    ],
)
def test_a_mistake_is_told_with_its_place(old: str, new: str, told: str) -> None:
    assert any(problem.startswith(told) for problem in changed(old, new)), changed(old, new)


def test_all_mistakes_are_told_at_once_in_line_order() -> None:
    text = GOOD.replace("weight: 3", "weight: x").replace("zh: [从来不是]", "en_: [not]").replace("reroute", "hide")
    told = problems(text)
    paths = [problem.split(" ")[0] for problem in told]
    assert paths == ["facts[0].weight", "party_line[0].any", "party_line[0].any.en_", "action"]


def test_an_id_may_stand_once_in_its_list() -> None:
    again = "  - {id: it-was, weight: 1, says: Twice, any: {en: [not], zh: [不是]}, sources: [ref]}\nparty_line:"
    assert problems(GOOD.replace("party_line:", again)) == ["facts[1].id (line 13): 'it-was' stands here twice"]


@pytest.mark.parametrize("key", sorted(yaml.safe_load(GOOD)))
@pytest.mark.parametrize("junk", [None, 7, "junk", [], {}, [[1]], {"en": 3}])
def test_any_junk_is_a_policy_error_and_never_another(key: str, junk: object) -> None:
    value = {**yaml.safe_load(GOOD), key: junk}
    text = yaml.safe_dump(value, allow_unicode=True)
    if key in ("facts", "party_line") and junk == []:
        parse_topic(text, "test.yaml")
    elif (key, junk) not in (("id", "junk.topic"), ("title", "junk")):
        assert problems(text)


@pytest.mark.parametrize("text", ["", "[]", "7", "a: [", "{}"])
def test_what_is_no_topic_at_all_is_a_policy_error(text: str) -> None:
    assert problems(text)


def test_the_kinds_of_topic_are_read() -> None:
    wide = parse_topic(GOOD.replace("[refusal, evasion]", "[refusal]") + "wide: true\n", "test.yaml")
    assert (wide.wide, wide.harm) == (True, False)
    text = GOOD.replace("acts_on: [refusal, evasion]\naction: reroute\n", "harm: true\n")
    harm = parse_topic(text.replace("{all: [Beijing", "{then: [Beijing"), "test.yaml")
    assert (harm.harm, harm.acts_on) == (True, frozenset())
    assert harm.match.near[0].ordered
    reason = parse_topic(GOOD.replace("  terms: {en", "  reasons: {en"), "test.yaml")
    assert (reason.match.terms, len(reason.match.reasons)) == ((), 2)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("action: reroute", "action: reroute\nharm: true", "acts_on (line 15): has no place in a topic of harm"),
        ("action: reroute", "action: reroute\nwide: true", "acts_on (line 15): must be [refusal] in a wide topic"),
        ("acts_on: [refusal, evasion]\n", "", "acts_on (line 1): is required"),
        ("acts_on: [refusal, evasion]", "acts_on: []", "acts_on (line 15): must not be empty"),
        ("{all: [Beijing", "{then: [a1, b2], all: [Beijing", "match.near[0] (line 9): needs either all or then"),
        ('  terms: {en: [Foobar], zh: [福福]}\n  near:\n    - {all: [Beijing, ["1989", "89"]], within: 12}\n', "",
         "match (line 7): needs terms, near or reasons"),
    ],
)  # fmt: skip
def test_what_a_kind_of_topic_cannot_have_is_told(old: str, new: str, problem: str) -> None:
    assert any(line.startswith(problem) for line in changed(old, new)), changed(old, new)
