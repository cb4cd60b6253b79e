"""Whole numbers in given proportions."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from kneeoa.splits.apportion import apportion, largest_remainder

SHARES = st.lists(st.integers(0, 20), min_size=2, max_size=4).filter(any).map(lambda parts: [Fraction(part, sum(parts)) for part in parts])


@given(total=st.integers(0, 500), shares=SHARES)
def test_counts_sum_up_and_stay_within_one_of_their_quota(total: int, shares: list[Fraction]) -> None:
    counts = largest_remainder(total, shares)
    assert sum(counts) == total
    assert all(abs(count - total * share) < 1 for count, share in zip(counts, shares, strict=True))


@given(sizes=st.lists(st.integers(0, 60), min_size=1, max_size=6), shares=SHARES)
def test_rows_and_columns_are_exact_and_cells_near_their_quota(sizes: list[int], shares: list[Fraction]) -> None:
    table = apportion(sizes, shares)
    assert [sum(row) for row in table] == sizes
    assert [sum(column) for column in zip(*table, strict=True)] == largest_remainder(sum(sizes), shares)
    for row, size in zip(table, sizes, strict=True):
        assert all(abs(cell - size * share) < 1 for cell, share in zip(row, shares, strict=True))
        assert all(cell == 0 for cell, share in zip(row, shares, strict=True) if share == 0)


def test_paper_as_grades_are_dealt_within_one_of_their_share() -> None:
    sizes, shares = [82, 46, 86, 111, 58], [Fraction(1, 4), Fraction(15, 100), Fraction(6, 10)]
    # A greedy rounding by remainders gets stuck here and gives one cell two seats.
    assert apportion(sizes, shares) == [[21, 12, 49], [12, 7, 27], [21, 13, 52], [28, 16, 67], [14, 9, 35]]


def test_the_largest_remainders_win() -> None:
    assert largest_remainder(10, [Fraction(1, 4), Fraction(15, 100), Fraction(6, 10)]) == [3, 1, 6]
    assert largest_remainder(3, [Fraction(1, 2), Fraction(1, 2)]) == [2, 1]
