"""A gateway that is killed loses no record of an answer that any client got whole."""

import random

import pytest

from kills import kill_again_and_again, outcome


@pytest.mark.faults
def test_every_answer_that_was_whole_has_its_record_after_kills_at_random_moments(tmp_path, monkeypatch):
    monkeypatch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)  # what is killed does not tell what it ran
    kills = 2
    place, seen = kill_again_and_again(tmp_path, kills, random.Random(4))
    found = outcome(place, seen)
    assert seen.whole
    assert found.lost == set()
    assert found.breaks == []
    assert found.kinds["genesis"] >= kills
    assert found.kinds["end"] == 0
