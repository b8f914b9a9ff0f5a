"""Common prefixes, and cells that several slots share."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glasnost.engine.cache import Cells, common_prefix


@given(st.lists(st.integers(0, 1), max_size=700), st.lists(st.integers(0, 1), max_size=50), st.integers(0, 800))
def test_the_common_prefix_is_the_one_that_counting_finds(shared, rest, limit):
    left, right = [*shared, 5, *rest], [*shared, 6, *rest]
    counted = 0
    while counted < min(limit, len(left)) and left[counted] == right[counted]:
        counted += 1
    assert common_prefix(left, right, limit) == counted


def test_a_shared_cell_is_free_when_its_last_holder_lets_go():
    cells = Cells(4)
    taken = cells.take(3)
    cells.share(taken[:2])
    cells.release(taken)
    assert cells.used == 2
    cells.release(taken[:2])
    assert cells.used == 0


def test_more_cells_than_there_are_is_an_error_of_ours():
    with pytest.raises(RuntimeError, match="5 cells in a KV cache of 4"):
        Cells(4).take(5)
