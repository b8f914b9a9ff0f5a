from __future__ import annotations

import pytest

from glasnost.audit import manner_zh, voice_zh
from glasnost.audit.kinds import Kind
from glasnost.audit.literals import alternatives, expand
from glasnost.audit.wordings import wordings


def test_a_part_stands_for_all_its_literals():
    assert sorted(expand("我(?:不|没)?(?:说|写字?)|好")) == sorted(
        ["我不说", "我不写", "我不写字", "我没说", "我没写", "我没写字", "我说", "我写", "我写字", "好"]
    )


def test_gaps_and_anchors_cut_a_pattern_into_parts():
    one, two = alternatives(r"^\W*作为(?:ai|助手)[^。!?]*无法|敏感")
    assert [sorted(part) for part in one.parts] == [["作为ai", "作为助手"], ["无法"]]
    assert (one.exact, two.exact) == (False, True)


@pytest.mark.parametrize("pattern", [r"\d", "a+", "[ab]", "a{2}", "(?:a", "x|", "(a)", "a*"])
def test_what_it_does_not_know_is_refused(pattern: str):
    with pytest.raises(ValueError, match=r"."):
        alternatives(pattern)


def test_every_shipped_pattern_can_be_read():
    groups = (*manner_zh.GROUPS, *manner_zh.REASONS, *voice_zh.GROUPS)
    assert all(alternatives(pattern) for group in groups for pattern in group.patterns)


def test_the_parts_of_a_pattern_count_only_in_their_order():
    assert {each.kind for each in wordings().find("抱歉,这个我无法回答。")} >= {Kind.REFUSAL}
    assert Kind.REFUSAL not in {each.kind for each in wordings().find("无法抵达的人感到抱歉。")}
