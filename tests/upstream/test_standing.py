"""Which upstream is the least busy, how one comes back, and which is an outlier."""

import pytest

from glasnost.upstream.standing import AFFINITY, Recent, Standing, least_busy, stands_out


class Pool:
    """Upstreams of one model, whose requests end only when told."""

    def __init__(self, **weights):
        self.each = {name: Standing(weight, slow_start=10) for name, weight in weights.items()}
        self.place = 0

    def choose(self, now=0.0, kept=None):
        return least_busy(self.each.items(), now, kept)

    def ask(self, now=0.0, kept=None):
        chosen = self.choose(now, kept)
        for each in self.each.values():
            each.accrue(now, sum(peer.weight for peer in self.each.values()))
        self.place += 1
        self.each[chosen].enter(self.place)
        return chosen

    def asked_one_by_one(self, times, now):
        names = []
        for _ in range(times):
            names.append(self.ask(now))
            self.each[names[-1]].leave()
        return names


def test_equals_are_asked_in_turn():
    assert Pool(a=1, b=1, c=1).asked_one_by_one(6, 0) == ["a", "b", "c", "a", "b", "c"]


def test_who_has_least_to_do_is_asked_and_nobody_where_there_is_nobody():
    pool = Pool(a=1, b=1, c=1)
    for _ in range(6):
        pool.ask()
    pool.each["b"].leave()
    assert pool.choose() == "b"
    assert Pool().choose() is None


def test_requests_in_flight_are_in_proportion_to_the_weights():
    pool = Pool(small=1, large=3)
    for _ in range(40):
        pool.ask()
    assert {name: each.in_flight for name, each in pool.each.items()} == {"small": 10, "large": 30}


@pytest.mark.parametrize(("now", "expected"), [(0, 10), (2.5, 25), (5, 50), (10, 100)])
def test_one_that_came_back_gets_a_share_that_grows(now, expected):
    pool = Pool(back=1, other=1)
    pool.each["back"].came_back(0)
    names = pool.asked_one_by_one(200, now)
    assert names.count("back") == pytest.approx(expected, abs=2)


def test_one_that_came_back_is_asked_where_nobody_else_can_be():
    pool = Pool(back=1)
    pool.each["back"].came_back(0)
    assert pool.asked_one_by_one(3, 0) == ["back"] * 3


def test_one_that_said_it_is_busy_comes_after_the_others_until_its_time_is_over():
    pool = Pool(a=1, b=1)
    pool.each["a"].said_busy(5)
    assert set(pool.asked_one_by_one(10, 4.9)) == {"b"}
    assert "a" in pool.asked_one_by_one(2, 5)


def test_who_holds_the_prompt_is_asked_unless_it_has_much_more_to_do():
    pool = Pool(a=1, b=1)
    assert [pool.ask(kept="a") for _ in range(AFFINITY + 2)] == ["a"] * (AFFINITY + 1) + ["b"]


def test_what_is_long_over_is_forgotten():
    recent = Recent()
    for now in (1, 2, 11):
        recent.count(now, failed=now == 2)
    assert recent.sums(12) == (3, 1)
    assert recent.sums(20) == (1, 0)
    assert recent.sums(1_000) == (0, 0)


@pytest.mark.parametrize(
    ("own", "others", "out"),
    [
        ((20, 10), [(20, 0), (20, 2)], True),
        ((20, 9), [(20, 0)], False),  # below the share
        ((19, 19), [(20, 0)], False),  # too few to tell
        ((20, 12), [(20, 8)], False),  # the others fail almost as much
        ((20, 20), [], False),  # there is nobody to stand out from
        ((20, 20), [(0, 0)], False),
    ],
)
def test_an_outlier_fails_by_itself_and_much_more_than_the_others(own, others, out):
    assert stands_out(own, others, share=0.5, requests=20) is out
