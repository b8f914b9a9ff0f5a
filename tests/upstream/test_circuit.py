"""A circuit: when it opens, whom it lets probe, and when it closes."""

from glasnost.upstream.circuit import Circuit


def circuit():
    return Circuit(failures=3, open_seconds=10, max_open_seconds=35)


def opened(at=0.0):
    each = circuit()
    for _ in range(3):
        each.failed(at)
    return each


def test_failures_in_a_row_open_it_and_an_answer_between_them_does_not():
    each = circuit()
    for _ in range(10):
        each.failed(0)
        each.failed(0)
        each.succeeded(0)
    assert each.state(0) == "closed"
    assert opened().state(0) == "open"
    assert not opened().admits(9.9)


def test_when_its_time_is_over_one_request_at_a_time_may_probe():
    each = opened()
    assert each.wait(4) == 6
    assert each.state(10) == "half_open"
    assert each.admits(10)
    each.enter()
    assert not each.admits(10)
    each.told_nothing()
    assert each.admits(10)


def test_a_probe_that_answers_closes_it():
    each = opened()
    each.enter()
    each.succeeded(10)
    assert each.state(10) == "closed"
    assert each.wait(10) == 0
    each.failed(11)
    assert each.state(11) == "closed"


def test_a_probe_that_fails_opens_it_for_twice_as_long_up_to_a_limit():
    each, now = opened(), 0.0
    for length in (10, 20, 35, 35):
        assert each.wait(now) == length
        now += length
        each.enter()
        each.failed(now)


def test_requests_that_were_on_their_way_do_not_lengthen_its_time():
    each = opened()
    for _ in range(20):
        each.failed(5)
    assert each.state(10) == "half_open"


def test_an_ejection_lasts_its_time_whatever_was_on_its_way_and_ends_with_a_probe_that_answers():
    each = circuit()
    each.eject(0)
    each.succeeded(1)
    assert each.state(9) == "open"
    each.enter()
    each.succeeded(10)
    assert each.state(10) == "closed"


def test_the_next_ejection_is_twice_as_long_up_to_a_limit_and_forgiven_after_a_calm_time():
    each, now = circuit(), 0.0
    for length in (10, 20, 35, 35):
        each.eject(now)
        assert each.wait(now) == length
        now += length
        each.succeeded(now)
    each.eject(now + 35)
    assert each.wait(now + 35) == 10
