from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glasnost.audit.sentences import LONGEST, Sentence, Splitter

WORDS = 'Dr.|U.S.|3.14|e.g.|…|。|！|？|!|?|.|"|”|」|)|*| |<|<think>|</think>|<thi|a|The end|他说：“不行|中国|\u200b|😀'
PIECES = st.sampled_from(
    [*WORDS.split("|"), "```", "```py\n", "\n~~~\n", "- ", "\n", "\n\n", "\t", "word " * 150, "无" * 700]
)
TEXTS = st.lists(PIECES, max_size=30).map("".join)


def sentences_of(*pieces: str) -> list[Sentence]:
    splitter = Splitter()
    return [sentence for piece in pieces for sentence in splitter.feed(piece)] + splitter.finish()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two! Three?", ["One.", " Two!", " Three?"]),
        ("他说：“不行。”然后走了。好", ["他说：“不行。”", "然后走了。", "好"]),
        ("好的!然后呢?是", ["好的!", "然后呢?", "是"]),
        ("A title\n\nA text that was\nwrapped by hand.", ["A title\n\n", "A text that was\nwrapped by hand."]),
        ("Текст, который был\nперенесен рукой. Да", ["Текст, который был\nперенесен рукой.", " Да"]),
        ("**Bold.** Next", ["**Bold.**", " Next"]),
        ("Wait... what", ["Wait...", " what"]),
        ("Use this:\n```python\nimport x\nx.run()\n```\nthen stop", None),
        ("```\na\nb\n```\nwrapped\nprose", ["```\n", "a\n", "b\n", "```\n", "wrapped\nprose"]),
        ("Use `a` and ```b``` here\nand there", ["Use `a` and ```b``` here\nand there"]),
        ("~~~ sh\nls\n~~~\n", ["~~~ sh\n", "ls\n", "~~~\n"]),
        ("Reasons:\n- one\n- two\n  * three\n1. four\n2) five", None),
        ("原因：\n一、政治\n二、经济\n- 三", None),
    ],
)
def test_text_is_cut_where_a_reader_would_cut_it(text: str, expected: list[str] | None):
    """Without an expected list, every line is one sentence."""
    assert [sentence.text for sentence in sentences_of(text)] == (expected or text.splitlines(keepends=True))


def test_an_abbreviation_ends_no_sentence():
    text = "Dr. Liu left the U.S. in 1999. He wrote 3.5 books, e.g. this."
    assert [sentence.text for sentence in sentences_of(text)] == [
        "Dr. Liu left the U.S. in 1999.",
        " He wrote 3.5 books, e.g. this.",
    ]


def test_thinking_is_told_from_answering():
    found = sentences_of("<think>Hm. Well</think>\n\nYes. No")
    assert [(each.text.strip(), each.thinking) for each in found if each.text.strip()] == [
        ("Hm.", True),
        ("Well", True),
        ("Yes.", False),
        ("No", False),
    ]
    assert [each.resumes for each in found].count(True) == 1


@given(TEXTS, st.integers(1, 9))
def test_any_split_gives_the_same_sentences(text: str, size: int):
    pieces = [text[start : start + size] for start in range(0, len(text), size)]
    assert sentences_of(*pieces) == sentences_of(text)


@given(TEXTS)
def test_no_character_is_lost_and_none_is_far_from_its_sentence(text: str):
    found = sentences_of(text)
    assert all(text[each.start : each.end] == each.text for each in found)
    assert all(len(each.text) <= LONGEST for each in found)
    covered = sum(len(each.text) for each in found)
    assert len(text) - covered <= text.count("<think>") * 7 + text.count("</think>") * 8


def test_a_wall_of_text_is_cut_without_waiting_for_its_end():
    splitter = Splitter()
    assert [len(each.text) for each in splitter.feed("无" * (3 * LONGEST + 1))] == [LONGEST] * 3
    assert len(splitter.peek()[0].text) == 1
