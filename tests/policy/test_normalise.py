"""The normaliser: what it folds, what it joins, and that every span leads back to where it came from."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from glasnost.policy import normalise as room
from glasnost.policy.normalise import Normalised, normalise

ODD = "天安门維吾爾習近平六四 .·-*\u200b\u202e\u00ad\ufe0fTtİßÉé\u0301ﬁ½Ⅷ…ABc89ａ８か\u3099가힣\n，。\U000e0041\u3000’—"
texts = st.one_of(st.text(max_size=60), st.text(alphabet=ODD, max_size=60))


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("TIANANMEN Square", "tiananmen square"),
        ("Ｔｉａｎａｎｍｅｎ", "tiananmen"),
        ("Tiān'ānmén", "tian'anmen"),
        ("Tia\u200bnan\u00admen", "tiananmen"),
        ("\u202eTiananmen\u202c", "tiananmen"),
        ("T\u0336i\u0336a\u0336nanmen", "tiananmen"),
        ("Tian’anmen — “1989”", 'tian\'anmen - "1989"'),
        ("維吾爾", "维吾尔"),
        ("習近平在天安門", "习近平在天安门"),
        ("天 安 门", "天安门"),
        ("天.安.门 事件", "天安门事件"),
        ("**天安門**廣場", "**天安门广场"),
        ("天　安　門", "天安门"),
        ("六-四", "六四"),
        ("六·四", "六四"),
        ("T i a n a n m e n", "tiananmen"),
        ("T.i.a.n.a.n.m.e.n 1989", "tiananmen 1989"),
        ("on 8 9 6 4 they", "on 8964 they"),
        ("the U.S. and I am", "the u.s. and i am"),
        ("a good 6.4 day", "a good 6.4 day"),
        ("五月，六月。七月", "五月,六月。七月"),
        ("第一行\n第二行", "第一行\n第二行"),
    ],
)
def test_text_is_read_as_a_person_would_read_it(written: str, read: str) -> None:
    assert normalise(written).text == read


@pytest.mark.parametrize(
    ("written", "found", "original"),
    [
        ("see 天.安.門 there", "天安门", "天.安.門"),
        ("see T i a n a n m e n.", "tiananmen", "T i a n a n m e n"),
        ("ﬁne … Tia\u200bnanmen!", "tiananmen", "Tia\u200bnanmen"),
        ("\u200b天\u200b安\u200b门\u200b", "天安门", "天\u200b安\u200b门"),
        ("½ ½ 習 近 平 ½", "习近平", "習 近 平"),
        ("plain Tiananmen", "tiananmen", "Tiananmen"),
    ],
)
def test_a_span_leads_back_to_the_original_characters(written: str, found: str, original: str) -> None:
    seen = normalise(written)
    at = seen.text.index(found)
    start, end = seen.span(at, at + len(found))
    assert written[start:end] == original


@given(texts)
@example("a b c 天 安\u0301 門 x y z")
def test_every_character_comes_from_a_span_that_normalises_to_it(text: str) -> None:
    seen = normalise(text)
    last = 0
    for at, character in enumerate(seen.text):
        start, end = seen.span(at, at + 1)
        assert 0 <= start < end <= len(text)
        assert character in normalise(text[start:end]).text
        assert start >= last
        last = start
    assert seen.span(0, 0)[0] <= seen.span(0, len(seen.text))[1] <= len(text)


@given(texts)
def test_normalising_twice_changes_nothing_more(text: str) -> None:
    once = normalise(text).text
    assert normalise(once).text == once


@given(st.text(alphabet=st.characters(max_codepoint=127), max_size=80))
def test_plain_ascii_reads_the_same_on_the_fast_path(text: str) -> None:
    folded, stages = room._fold(text)
    assert normalise(text) == room._join(folded, stages)


@given(texts, texts)
def test_folding_looks_at_one_character_at_a_time(left: str, right: str) -> None:
    assert room._fold(left + right)[0] == room._fold(left)[0] + room._fold(right)[0]


@given(texts)
def test_a_joined_run_lies_inside_the_text_and_holds_no_separator(text: str) -> None:
    seen = normalise(text)
    for start, end in seen.joined:
        assert seen.text[start:end].isalnum()
        assert end - start >= 3


def test_a_plain_text_needs_no_map() -> None:
    assert normalise("Plain text, as most of it is.") == Normalised("plain text, as most of it is.")
