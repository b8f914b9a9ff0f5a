"""Phrases in one pass: edges of words and numbers, gaps, and text that was set apart."""

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from glasnost.policy.lexicon import GAP, Lexicon, Ruler, parts_of
from glasnost.policy.normalise import normalise


def found(phrase: str, text: str) -> list[str]:
    seen = normalise(text)
    return [seen.text[hit.start : hit.end] for hit in Lexicon([("x", phrase)]).find(seen)]


@pytest.mark.parametrize(
    ("phrase", "text", "hits"),
    [
        ("Taiwan", "Is TAIWAN a country?", 1),
        ("Taiwan", "Taiwan's status, Taiwan–China", 2),
        ("Taiwan", "the Taiwanese people", 0),
        ("Taiwan", "在Taiwan的人", 1),
        ("Xi", "taxi, Xian, Xi.", 1),
        ("8964", "remember 8964!", 1),
        ("8964", "数字8964年", 1),
        ("8964", "18964 or 89641 or 8,964", 0),
        ("8964", "3.8964 and 8964.5", 0),
        ("8964", "commit a8964f", 0),
        ("8964", "8 9 6 4", 1),
        ("8964", "1 8 9 6 4", 0),
        ("June 1989", "in June 1989.", 1),
        ("天安门", "我在天安門廣場", 1),
        ("天安门", "天.安.门", 1),
        ("Tiananmen", "T i a n a n m e n S q u a r e", 1),
        ("Tiananmen", "T.i.a.n.a.n.m.e.n", 1),
        ("uiguuri*", "Uiguurien leirit", 1),
        ("uiguuri*", "uiguuri", 1),
        ("uiguuri*", "ei-uiguurit, epäuiguurit", 1),
        ("Kiinan sensuuri*", "Kiinan sensuurista", 1),
        ("Kiinan sensuuri*", "Kiinan sensuurit ja Kiinan sensuuri", 2),
        ("репресси*", "о репрессиях", 1),
        ("uiguuri* * leirei*", "uiguurit suljettiin leireille", 1),
        ("uiguuri", "uiguurien leirit", 0),
        ("suure* palomuur*", "suurelta palomuurilta", 1),
        ("suure* palomuur*", "suure palomuuri, suuren palomuurin", 2),
        ("suure* palomuur*", "suurelta vanhalta palomuurilta", 0),
        ("suure* palomuur*", "suurelta. Palomuurilta", 0),
        ("suure* palomuur*", "suure x palomuuri", 0),
        ("suure* palomuur*", "suurepalomuuri", 0),
        ("великог* брандмауэр*", "о Великого  брандмауэра", 1),
        ("troops * fired", "Troops then fired on them", 1),
        ("troops * fired", "Troops fired on them", 1),
        ("troops * fired", "Troops came. Nobody fired.", 0),
        ("troops * fired", "Troops " + "very " * GAP + "fired", 1),
        ("troops * fired", "Troops " + "very " * (GAP + 1) + "fired", 0),
        ("troops * fired", "they fired, troops left", 0),
        ("军队 * 平民", "军队向手无寸铁的平民", 1),
        ("军队 * 平民", "军队撤了。平民留下", 0),
        ("no * no * no", "no, no and no", 1),
    ],
)
def test_a_phrase_is_found_where_a_reader_finds_it(phrase: str, text: str, hits: int) -> None:
    assert len(found(phrase, text)) == hits


def test_one_phrase_may_carry_several_payloads() -> None:
    lexicon = Lexicon([("a", "stability"), ("b", "Stability"), ("c", "社会稳定")])
    assert [hit.payload for hit in lexicon.find(normalise("stability 社會穩定"))] == ["a", "b", "c"]


def test_an_empty_lexicon_finds_nothing() -> None:
    assert Lexicon[str]([]).find(normalise("anything")) == []


def test_a_phrase_is_split_at_its_gaps_alone() -> None:
    assert [part.text for part in parts_of("Part of * China")] == ["part of", "china"]
    assert [part.text for part in parts_of("ab*c de")] == ["ab*c de"]
    assert parts_of("Uiguuri* * Xinjiang") == (("uiguuri", True, False), ("xinjiang", False, False))
    assert parts_of("Suure* palomuur*") == (("suure", True, False), ("palomuur", True, True))


@given(st.text(alphabet="ab 天安.x", max_size=40), st.text(alphabet="ab 天安.x", max_size=10))
def test_every_hit_reads_as_its_phrase(text: str, phrase: str) -> None:
    ((wanted, *_),) = parts_of(phrase)
    assume(wanted)
    assert set(found(phrase, text)) <= {wanted}


@given(st.text(alphabet="ab 天安", max_size=60), st.integers(0, 8))
def test_a_ruler_counts_words_and_chinese_characters(text: str, limit: int) -> None:
    spaced = "".join(f" {each} " if each in "天安" else each for each in text)
    measured = Ruler(text).within(0, len(text), limit)
    assert measured == (len(text) <= limit or len(spaced.split()) <= limit)


def test_places_far_apart_are_told_without_reading_the_text() -> None:
    ruler = Ruler("x" * 1000)
    assert not ruler.within(0, 1000, 8)
    assert ruler._ends is None


@pytest.mark.parametrize(
    "pattern",
    [
        r"(?<![ab])ab(?![ab])",
        r"(?<![ab1])(?<!1[.,])1(?![ab1])(?![.,]1)",
        r"(?<![ab])b1(?![ab1])(?![.,]1)",
        r"中a(?![ab])",
        r"(?<![ab])a中",
        "中",
    ],
)
@given(text=st.text(alphabet="ab1 .,中", max_size=30))
def test_a_phrase_is_found_everywhere_but_inside_a_word_or_a_number(pattern: str, text: str) -> None:
    seen = normalise(text)
    assume(not seen.joined)
    (phrase,) = re.findall(r"(?:^|\))([ab1中]+)", pattern)
    hits = [(hit.start, hit.end) for hit in Lexicon([("x", phrase)]).find(seen)]
    assert hits == [match.span() for match in re.finditer(pattern, seen.text)]
