from __future__ import annotations

from glasnost.upstream.backoff import LONGEST_SECONDS, Backoff


def test_each_pause_is_twice_the_last_up_to_a_limit():
    backoff = Backoff()
    pauses = []
    for _ in range(40):
        backoff = backoff.failed(100.0)
        pauses.append(backoff.remaining(100.0))
    assert pauses[:4] == [0.5, 1.0, 2.0, 4.0]
    assert max(pauses) == pauses[-1] == LONGEST_SECONDS


def test_a_pause_runs_out():
    backoff = Backoff().failed(100.0)
    assert (backoff.remaining(100.4) > 0, backoff.remaining(100.5), backoff.remaining(200.0)) == (True, 0.0, 0.0)


def test_counting_starts_over_after_a_long_life():
    backoff = Backoff().failed(0.0).failed(1.0).failed(2.0)
    assert backoff.failed(100.0, up_seconds=61.0).remaining(100.0) == 0.5
    assert backoff.failed(100.0, up_seconds=5.0).remaining(100.0) == 4.0
