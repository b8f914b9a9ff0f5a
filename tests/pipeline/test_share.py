"""A share of the requests of the last seconds."""

from glasnost.pipeline.share import Share


def test_a_share_of_what_was_counted_may_be_spent_and_no_more():
    share = Share(ratio=0.2, least=3)
    for _ in range(100):
        share.count(1.0)
    assert sum(share.spend(1.5) for _ in range(100)) == 20


def test_a_few_may_always_be_spent():
    share = Share(ratio=0.2, least=3)
    assert [share.spend(0.0) for _ in range(4)] == [True, True, True, False]
    assert Share(ratio=0.0, least=0).spend(0.0) is False


def test_what_is_older_than_the_window_counts_no_more():
    share = Share(ratio=0.5, least=0, window=10)
    for _ in range(10):
        share.count(0.0)
    assert share.left(9.0)
    assert not share.left(20.0)
    for _ in range(4):
        share.count(21.0)
    assert [share.spend(22.0) for _ in range(3)] == [True, True, False]
    assert share.left(21.5) is False
