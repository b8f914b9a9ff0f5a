"""What lint remarks on, and that the shipped packs leave it nothing grave to say."""

import pytest

from glasnost.cli.load import harmless_prompts, load_topics, shipped_packs
from glasnost.policy.lint import language_of, lint, lint_prompts
from glasnost.policy.parse import parse_topic

CLEAN = """\
schema: glasnost/topic/v1
id: test.topic
title: A topic
sources: [{id: whole, title: On all of it, url: "https://example.org/"}, {id: ref, title: On it, url: "https://example.org/it"}]
match:
  terms: {en: [Foobar], zh: [福福]}
  not: {en: [Foobar opening hours]}
facts:
  - {id: it-was, weight: 3, says: It was so, any: {en: [it * was so], zh: [它是的]}, sources: [ref]}
acts_on: [refusal]
action: reroute
examples:
  - {prompt: Tell me of Foobar, answer: I cannot say., expect: refusal}
  - {prompt: Tell me of Foobar, answer: It was so., expect: complete}
  - {prompt: 福福是国家吗, answer: 它是的。, expect: complete}
  - {prompt: 福福是國家嗎, answer: 它是的。, expect: complete}
"""


def remarks(old: str = "", new: str = "") -> list[str]:
    assert old in CLEAN
    return [f"{each.path}: {each.text}" for each in lint(parse_topic(CLEAN.replace(old, new), "test.yaml"))]


def test_a_clean_topic_gets_no_remark() -> None:
    assert remarks() == []


@pytest.mark.parametrize(
    ("old", "new", "remark"),
    [
        ("en: [Foobar]", "en: [Foobar, Great Foobar]", "match.terms: 'Great Foobar' is unused: 'Foobar' covers it"),
        ("en: [Foobar]", "en: [Foobar, foobar]", "match.terms: 'foobar' is unused: 'Foobar' covers it"),
        ("zh: [福福]", "zh: [福福, 大福福]", "match.terms: '大福福' is unused: '福福' covers it"),
        ("en: [Foobar]", "en: [Foobar*, Foobarin]", "match.terms: 'Foobarin' is unused: 'Foobar*' covers it"),
        ("en: [Foobar]", "en: [Foobar*, foobar*]", "match.terms: 'foobar*' is unused: 'Foobar*' covers it"),
        ("en: [Foobar]", "en: [Foobar, Foobar*]", "match.terms: 'Foobar' is unused: 'Foobar*' covers it"),
        ("  not:", "  asked: {en: [old Foobar], zh: [老福]}\n  not:",
         "match.asked: 'old Foobar' is unused: 'Foobar' covers it"),
        ("  not:", "  euphemisms: {en: [the F-word]}\n  not:", "match.euphemisms: has no wording in 'zh'"),
        ("[it * was so]", "[was so, it * was so]", "facts.it-was.any: 'it * was so' is unused: 'was so' covers it"),
        ("[it * was so]", "[it was so, it * was so]",
         "facts.it-was.any: 'it was so' is unused: 'it * was so' covers it"),
        ("en: [Foobar opening hours]", "en: [Foobaz]", "match.not: 'Foobaz' is unused: it covers no name"),
        ("sources: [ref]}", "sources: [whole]}", "sources: 'ref' is never cited"),
        ("福福是國家嗎", "福福", "examples: none is in 'zh-Hant'"),
        ("Tell me of Foobar", "福福", "examples: none is in 'en'"),
        ("expect: refusal", "expect: complete", "examples: none expects refusal"),
    ],
)  # fmt: skip
def test_what_does_no_work_or_is_missing_is_told(old: str, new: str, remark: str) -> None:
    assert remarks(old, new) == [remark]


def test_a_longer_name_is_used_where_the_shorter_is_not_a_word_in_it() -> None:
    assert remarks("en: [Foobar]", "en: [Foobar, Foobarese]") == []


def test_names_in_harmless_prompts_are_told_with_their_number_and_one_of_the_prompts() -> None:
    topic = parse_topic(CLEAN, "test.yaml")
    (found,) = lint_prompts([topic], ["Sell me a foobar.", "What is a Foobar?", "Foobar opening hours", "Hello"])
    assert (found.topic_id, found.path) == ("test.topic", "match")
    assert found.text == "'Foobar' stands in 2 harmless prompts: Sell me a foobar."
    wide = parse_topic(CLEAN + "wide: true\n", "test.yaml")
    assert lint_prompts([wide], ["What is a Foobar?"]) == []


@pytest.mark.parametrize(
    ("text", "language"), [("Hello", "en"), ("国家", "zh"), ("國家 is Chinese", "zh-Hant"), ("Привет", "ru")]
)
def test_a_language_is_told_by_its_script(text: str, language: str) -> None:
    assert language_of(text) == language


@pytest.mark.parametrize("pack", shipped_packs())
def test_the_shipped_packs_hit_no_harmless_prompt_and_lack_no_language(pack: str) -> None:
    topics = load_topics((pack,))
    assert lint_prompts(topics, harmless_prompts()) == []
    grave = [remark for topic in topics for remark in lint(topic) if "is unused" not in remark.text]
    assert grave == []
